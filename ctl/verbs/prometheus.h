/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The counters in Prometheus' text format, as node_exporter's textfile collector takes it: no timestamps,
 * and no label whose values are addresses. Names and labels are a promise, as JSON keys are.
 */

#include <stdio.h>

#include "ctl.h"

/* Prints the metrics of t; of NULL, that nothing is loaded. */
int prometheus_print(struct ctl *ctl, struct table *t, FILE *f);

/*
 * The same into a file that is replaced in one step, so that a collector never reads half of it. What is
 * being written ends in six random characters, which no collector takes for a *.prom. -ENOTSUP: there is something
 * that is no file, such as /dev/stdout, and must not become one.
 */
int prometheus_write(struct ctl *ctl, struct table *t, const char *path);
