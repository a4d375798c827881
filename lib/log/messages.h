/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * MESSAGE_ID= of the records in the journal, by which they are searched; systemd/ebpf-fw.catalog explains each. Once
 * released, one keeps its meaning for ever: what means something else gets another.
 */

#define MESSAGE_WINDOW   "0373e56aaaeb45b18c0f72171d6a83d3" /* what a hook has counted in a window */
#define MESSAGE_SOURCE   "8438d4e9edae47569a1dce3f908122bf" /* the address from which, or to which, most was dropped in it */
#define MESSAGE_EXPIRED  "31168df7990e4df9ae49e94c719af702" /* an entry has ended, or many */
#define MESSAGE_LOST     "b2ac2d5e24444c81a0d54698532d0f68" /* the journal did not take records */
#define MESSAGE_ADDED    "aea1538ce5af4642b6f418054cf17556" /* fwctl has put into a list */
#define MESSAGE_REMOVED  "ec9685849ae44aec87b8d751c75289db" /* fwctl has taken out of a list */
#define MESSAGE_REPLACED "e01c8a2bdc2e4509930aa51594c42e88" /* fwctl has made a list equal to something */
#define MESSAGE_BATCH    "f52e59b76fba4b89a1c0dcc72e7355e5" /* fwctl has done a batch */
#define MESSAGE_POLICY   "a50a3913025d4dc2b4844736aca8304a" /* fwctl has made, changed or removed a list */
#define MESSAGE_UNLOADED "1c638eb4e2794155896e783af21d3501" /* fwctl has switched the firewall off */
