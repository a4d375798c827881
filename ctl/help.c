// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What the tables of verbs and options look like to a reader (--help) and to a shell (completion scripts, made
 * at build time by the hidden --completion=SHELL). Nothing here knows a verb or an option by name.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "help.h"
#include "options.h"

#define OPTION_TEXT_MAX 64

static unsigned verb_options(const struct verb *v)
{
	return v->options | OPTIONS_GLOBAL;
}

/* "-l, --list=LIST", "--watch[=SEC]" */
static const char *format_option(const struct option *o, char *buffer, size_t size)
{
	char letter[] = { '-', o->letter, ',', ' ', '\0' };

	if (option_argument_is_optional(o))
		(void) snprintf(buffer, size, "    --%s[=%s", o->name, o->argument + 1);
	else
		(void) snprintf(buffer, size, "%s--%s%s%s", o->letter ? letter : "    ", o->name,
				o->argument ? "=" : "", o->argument ?: "");
	return buffer;
}

static void print_options(unsigned mask)
{
	char text[OPTION_TEXT_MAX];

	for (const struct option *o = options; o->name; o++)
		if (o->bit & mask)
			printf("  %-23s  %s\n", format_option(o, text, sizeof(text)), o->help);
}

void help_program(const struct verb *verbs)
{
	char usage[OPTION_TEXT_MAX];

	puts("Usage: fwctl [OPTION...] VERB [ARGUMENT...]\n\n"
	     "Show and change the firewall of ebpf-fw.\n\n"
	     "Verbs:");
	for (const struct verb *v = verbs; v->name; v++)
		printf("  %-32s  %s\n", verb_usage(v, usage, sizeof(usage)) + strlen("fwctl "),
		       v->help);
	puts("\nOptions of all verbs, before or after the verb:");
	print_options(OPTIONS_GLOBAL);
	puts("\n" HELP_TARGET "\n"
	     "'fwctl VERB --help' shows the options of a verb; fwctl(8) says it all.");
}

void help_verb(const struct verb *v)
{
	char usage[OPTION_TEXT_MAX];

	printf("Usage: %s [OPTION...]\n\n%s.\n", verb_usage(v, usage, sizeof(usage)), v->help);
	if (v->details)
		printf("\n%s\n", v->details);
	puts("\nOptions:");
	print_options(v->options);
	if (v->options)
		putchar('\n');
	print_options(OPTIONS_GLOBAL);
}

/* Words for a shell: "--list= --for=" */
static void print_option_words(unsigned mask)
{
	for (const struct option *o = options; o->name; o++)
		if (o->bit & mask)
			printf(" --%s%s", o->name,
			       o->argument && !option_argument_is_optional(o) ? "=" : "");
}

static void print_verb_words(const struct verb *verbs)
{
	for (const struct verb *v = verbs; v->name; v++)
		printf(" %s", v->name);
}

/* Names of options whose argument is of one kind, as an alternative of patterns: "--list=*|-l". */
static void print_argument_pattern(const char *argument)
{
	const char *separator = "";

	for (const struct option *o = options; o->name; o++) {
		if (!o->argument || strcmp(o->argument, argument) != 0)
			continue;
		printf("%s--%s", separator, o->name);
		if (o->letter)
			printf("|-%c", o->letter);
		separator = "|";
	}
}

#define LISTS_COMMAND "fwctl lists 2>/dev/null | sed '1d;s/ .*//'"

static void print_bash(const struct verb *verbs)
{
	puts("# bash completion for fwctl, made from its tables by 'fwctl --completion=bash'\n"
	     "_fwctl()\n"
	     "{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	     "\tlocal verb= words= i\n"
	     "\n"
	     "\t# the '=' of --list=NAME is a word of its own\n"
	     "\tif [[ $cur == = ]]; then\n"
	     "\t\tcur=\n"
	     "\telif [[ $prev == = ]]; then\n"
	     "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	     "\tfi\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in");
	printf("\t\t");
	for (const struct verb *v = verbs; v->name; v++)
		printf("%s%s", v == verbs ? "" : "|", v->name);
	puts(") verb=${COMP_WORDS[i]}; break ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\n"
	     "\tcase $prev in");
	printf("\t");
	print_argument_pattern("DIR");
	puts(")\n\t\tCOMPREPLY=($(compgen -d -- \"$cur\"))\n\t\treturn ;;");
	printf("\t");
	print_argument_pattern("LIST");
	puts(")\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$(" LISTS_COMMAND ")\" -- \"$cur\"))\n"
	     "\t\treturn ;;\n"
	     "\tesac\n"
	     "\n"
	     "\tcase $verb in");
	for (const struct verb *v = verbs; v->name; v++) {
		printf("\t%s) words='", v->name);
		if (strstr(v->arguments, "VERB"))
			print_verb_words(verbs);
		print_option_words(verb_options(v));
		printf("'%s ;;\n", strstr(v->arguments, "LIST") ? "\" $(" LISTS_COMMAND ")\"" : "");
	}
	printf("\t*) words='");
	print_verb_words(verbs);
	print_option_words(OPTIONS_GLOBAL);
	puts("' ;;\n"
	     "\tesac\n"
	     "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	     "\tif [[ ${COMPREPLY[0]-} == *= ]]; then\n"
	     "\t\tcompopt -o nospace\n"
	     "\tfi\n"
	     "}\n"
	     "complete -F _fwctl fwctl");
}

/* "'--list=[help]:LIST:action' ..." for _arguments; help has no quotes or brackets. */
static void print_zsh_options(unsigned mask)
{
	for (const struct option *o = options; o->name; o++) {
		if (!(o->bit & mask))
			continue;
		printf(" \\\n\t\t\t'--%s%s[%s]", o->name,
		       option_argument_is_optional(o) ? "=-" : o->argument ? "=" : "", o->help);
		if (option_argument_is_optional(o))
			printf("::%s:", o->name);
		else if (o->argument)
			printf(":%s:%s", o->argument,
			       strcmp(o->argument, "DIR") == 0	  ? "_files -/" :
			       strcmp(o->argument, "LIST") == 0 ? "_fwctl_lists" : "");
		putchar('\'');
	}
}

static void print_zsh(const struct verb *verbs)
{
	puts("#compdef fwctl\n"
	     "# zsh completion for fwctl, made from its tables by 'fwctl --completion=zsh'\n"
	     "_fwctl_lists()\n"
	     "{\n"
	     "\tcompadd -- ${(f)\"$(" LISTS_COMMAND ")\"}\n"
	     "}\n"
	     "\n"
	     "_fwctl()\n"
	     "{\n"
	     "\tlocal -a verbs=(");
	for (const struct verb *v = verbs; v->name; v++)
		printf("\t\t'%s:%s'\n", v->name, v->help);
	puts("\t)\n"
	     "\tlocal verb word state\n"
	     "\n"
	     "\tfor word in ${words[2,CURRENT-1]}; do\n"
	     "\t\tif (( ${verbs[(I)$word:*]} )); then\n"
	     "\t\t\tverb=$word\n"
	     "\t\t\tbreak\n"
	     "\t\tfi\n"
	     "\tdone\n"
	     "\n"
	     "\tcase $verb in");
	for (const struct verb *v = verbs; v->name; v++) {
		printf("\t%s)\n\t\t_arguments", v->name);
		print_zsh_options(verb_options(v));
		printf(" \\\n\t\t\t'1:verb:'");
		if (v->arguments[0])
			printf(" '*:%s:%s'", v->arguments,
			       strstr(v->arguments, "LIST") ? "_fwctl_lists" : "");
		puts(" ;;");
	}
	printf("\t*)\n\t\t_arguments");
	print_zsh_options(OPTIONS_GLOBAL);
	puts(" \\\n"
	     "\t\t\t'1:verb:->verb' && return\n"
	     "\t\t[[ $state == verb ]] && _describe verb verbs ;;\n"
	     "\tesac\n"
	     "}\n"
	     "\n"
	     "_fwctl \"$@\"");
}

int help_completion(const struct verb *verbs, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		print_bash(verbs);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(verbs);
	else
		return -EINVAL;
	return 0;
}
