/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stdbool.h>

bool catcher_catches_panics(void);
