/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The verbs, one to a file or two; main.c has their rows. */

#include "ctl.h"

int verb_block(struct ctl *ctl, int argc, char **argv);
int verb_unblock(struct ctl *ctl, int argc, char **argv);
int verb_allow(struct ctl *ctl, int argc, char **argv);
int verb_unallow(struct ctl *ctl, int argc, char **argv);
int verb_show(struct ctl *ctl, int argc, char **argv);
int verb_check(struct ctl *ctl, int argc, char **argv);
int verb_lists(struct ctl *ctl, int argc, char **argv);
int verb_list(struct ctl *ctl, int argc, char **argv);
int verb_flush(struct ctl *ctl, int argc, char **argv);
int verb_load(struct ctl *ctl, int argc, char **argv);
int verb_export(struct ctl *ctl, int argc, char **argv);
int verb_import(struct ctl *ctl, int argc, char **argv);
int verb_batch(struct ctl *ctl, int argc, char **argv);
int verb_top(struct ctl *ctl, int argc, char **argv);
int verb_hist(struct ctl *ctl, int argc, char **argv);
int verb_monitor(struct ctl *ctl, int argc, char **argv);
int verb_stats(struct ctl *ctl, int argc, char **argv);
int verb_status(struct ctl *ctl, int argc, char **argv);
int verb_doctor(struct ctl *ctl, int argc, char **argv);
int verb_unload(struct ctl *ctl, int argc, char **argv);
