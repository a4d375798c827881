// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Runs a fuzz target over files, each whole and cut after every byte: what the fuzzer once found,
 * and the golden files, stay found without a fuzzer.
 */

#include "base/cleanup.h"
#include "fuzz.h"

#define SIZE_MAX_READ 65536

static int run_file(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	_cleanup_free_ uint8_t *data = malloc(SIZE_MAX_READ);
	size_t size;

	if (!f || !data) {
		fprintf(stderr, "Cannot read '%s': %m\n", path);
		return -1;
	}

	size = fread(data, 1, SIZE_MAX_READ, f);
	for (size_t n = 0; n <= size; n++)
		(void)LLVMFuzzerTestOneInput(data,
					     n); /* aborts where it does not like what it sees */
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (run_file(argv[i]) < 0)
			return EXIT_FAILURE;

	printf("%d files\n", argc - 1);
	return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
