/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Layers of the rows about decapsulation: from the wire (IN, O4 or O6, LU, a LISP header, I4 or I6, TAIL), and what TC delivers. */
#ifndef XTR_TEST_DECAP_ROWS_H
#define XTR_TEST_DECAP_ROWS_H

#include "bpf/lab.h"

#define IN    ETH(MAC_UNDER, MAC_NEXT)
#define OUT   ETH(MAC_XTR0, MAC_NEXT)
#define O4(...) IP4("192.0.2.2", "192.0.2.1", ##__VA_ARGS__)
#define O6(...) IP6("2001:db8::2", "2001:db8::1", ##__VA_ARGS__)
#define I4(...) IP4("10.2.0.20", "10.1.0.10", ##__VA_ARGS__)
#define I6(...) IP6("fd02::20", "fd01::10", ##__VA_ARGS__)
#define LU    UDP(0xc123, 4341)
#define L5    LISP(0x08000000, 5 << 8) /* instance 5 */
#define TAIL  UDP(53, 5000, .csum = true), DATA(20)

#endif
