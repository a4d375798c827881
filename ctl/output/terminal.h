/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Size of the terminal on stdout; 0 = stdout is none. */
struct terminal_size {
	unsigned columns;
	unsigned rows;
};

struct terminal_size terminal_size(void);
