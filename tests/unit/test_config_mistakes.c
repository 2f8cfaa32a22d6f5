// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The configuration: for every mistake we know of, the exact message a person gets.
 */
#include "conf_lab.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(config, .init = make_keys, .fini = remove_folder);

#define X20 "xxxxxxxxxxxxxxxxxxxx"
#define X100 X20 X20 X20 X20 X20

#define MR "map-resolver: {map-servers: [192.0.2.10]}\n"
#define ITR "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11]}\n"
#define DP "rlocs: [{address: 192.0.2.1}]\ninterfaces: [{name: eth0, role: underlay}]\nitr: {map-resolvers: [192.0.2.11]}\n"
#define DP2 "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: underlay}\n  - {name: eth1, role: eid}\n" \
	"itr: {map-resolvers: [192.0.2.11]}\n"

static const struct mistake bad[] = {
	/* YAML itself */
	{ "", "f: no role is switched on; add itr:, etr:, map-server: or map-resolver:\n" },
	{ "just text\n", "f:1:1: the top level is one value, but takes keys; write `key: value` lines, indented\n" },
	{ "- a\n", "f:1:1: the top level is a list, but takes keys; write `key: value` lines, indented\n" },
	{ "itr: [1, 2\n", "f:1:6: not valid YAML: did not find expected ',' or ']' in line 2, inside this [; close it before, and check quotes and "
	  "commas\n" },
	{ "itr: [\n  - 1\n", "f:1:6: not valid YAML: did not find expected node content in line 2, inside this [; close it before, and check quotes and "
	  "commas\n" },
	{ "# a [ in a comment\nitr: {a: \"[\", b: '{'\nxtr-id: 5\n", "f:2:6: not valid YAML: did not find expected ',' or '}' in line 3, inside this {; close it "
	  "before, and check quotes and commas\n" },
	{ "itr:\n\ta: 1\n", "f:2:1: not valid YAML: found character that cannot start any token while scanning for the next token; check indentation, quotes "
	  "and brackets\n" },
	{ "itr:\n  a: 1\n b: 2\n", "f:3:2: not valid YAML: did not find expected key while parsing a block mapping; check indentation, quotes and brackets\n" },
	{ "itr: \"\xff\xfe\"\n", "f:1:7: not valid YAML: invalid leading UTF-8 octet; check indentation, quotes and brackets\n" },
	{ MR "log-level: info\nlog-level: debug\n", "f:3:1: key `log-level` is here for the second time, the first is in line 2; remove one\n" },
	{ MR "timers: &x {}\n", "f:2:9: anchors (&name) are not supported; write the value out\n" },
	{ MR "timers: *x\n", "f:2:9: aliases (*name) are not supported; write the value out\n" },
	{ MR "timers: !!map {}\n", "f:2:9: tags (!name) are not supported; remove it\n" },
	{ MR "---\nitr:\n", "f:2:1: a second document begins here; one file is one document: remove the ---\n" },
	{ MR "[a, b]: 1\n", "f:2:1: a key must be a word; put quotes around it\n" },
	{ "itr: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n", "f:1:21: nested too deep; no key of xtrd needs that\n" },

	/* keys */
	{ MR "log-levle: info\n", "f:2:1: unknown key `log-levle` in the top level; did you mean `log-level`?\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr:\n  map-resolver: [192.0.2.11]\n",
	  "f:3:3: the ITR knows nobody to ask; add map-resolvers: to it, or decent: with pull: or push:\n"
	  "f:3:3: unknown key `map-resolver` in itr; did you mean `map-resolvers`?\n" },
	{ MR "register-interval: 5\n", "f:2:1: unknown key `register-interval` in the top level; it is a key of timers\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11], colour: red}\n",
	  "f:2:36: unknown key `colour` in itr; the keys are map-resolvers\n" },
	{ "rlocs: [{address: 192.0.2.1, prio: 1}]\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:1:30: unknown key `prio` in an entry of rlocs; the keys are address, priority, weight, multicast-priority, multicast-weight\n"
	},

	/* types and ranges */
	{ MR "log-level: loud\n", "f:2:12: `log-level` is `loud`; write error, warn, info or debug\n" },
	{ MR "log-level: [info]\n", "f:2:12: `log-level` is a list, but takes one value; write it on the line of the key\n" },
	{ MR "log-level:\n", "f:2:11: `log-level` has no value; write one or remove the key\n" },
	{ MR "limits: {cache-entries: lots}\n", "f:2:25: `cache-entries` is lots, not a whole number; write a whole number from 16 to 16777216\n" },
	{ MR "limits: {cache-entries: 3}\n", "f:2:25: `cache-entries` is 3, out of range; write a whole number from 16 to 16777216\n" },
	{ MR "limits: {cache-entries: -3}\n", "f:2:25: `cache-entries` is -3, not a whole number; write a whole number from 16 to 16777216\n" },
	{ MR "limits: {cache-entries: 0x100}\n", "f:2:25: `cache-entries` is 0x100, not a whole number; write a whole number from 16 to 16777216\n" },
	{ MR "limits: {cache-entries: \"100\"}\n", "f:2:25: `cache-entries` is a text in quotes, not a number; remove the quotes\n" },
	{ MR "limits: {cache-entries: 99999999999999999999999}\n",
	  "f:2:25: `cache-entries` is 99999999999999999999999, not a whole number; write a whole number from 16 to 16777216\n" },
	{ MR "timers: {register-interval: 1m}\n",
	  "f:2:29: `register-interval` is 1m, not a number of seconds; write a number of seconds from 0.1 to 86400\n" },
	{ MR "timers: {register-interval: 0.05}\n",
	  "f:2:29: `register-interval` is 0.05, out of range; write a number of seconds from 0.1 to 86400\n" },
	{ MR "timers: {register-interval: 1.0005}\n",
	  "f:2:29: `register-interval` is 1.0005, not a number of seconds; write a number of seconds from 0.1 to 86400\n" },
	{ MR "timers: 60\n", "f:2:9: timers is one value, but takes keys; write `key: value` lines, indented\n" },
	{ MR "data-plane: {check-source: yes}\n", "f:2:28: `check-source` is `yes`; write true or false\n" },
	{ MR "state-dir: var/lib\n", "f:2:12: `state-dir` is `var/lib`; write an absolute path, beginning with /\n" },
	{ MR "control-socket: /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	  "f:2:17: `control-socket` has 112 characters; write a path of at most 107\n" },
	{ MR "xtr-id: 1234xyz\n", "f:2:9: `xtr-id` is `1234xyz`; write 32 hexadecimal digits, a number, or auto\n" },
	{ MR "site-id: auto\n", "f:2:10: `site-id` is `auto`; write 16 hexadecimal digits, a number\n" },
	{ "map-resolver: {map-servers: 192.0.2.10}\n",
	  "f:1:29: `map-servers` is one value, but takes a list; write - before each entry\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: []}\n", 
	  "f:2:22: the ITR knows nobody to ask; add map-resolvers: to it, or decent: with pull: or push:\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.300]}\n",
	  "f:2:23: `map-resolvers` is `192.0.2.300`, not an address; write an IPv4 or IPv6 address without a length, as 192.0.2.1 or "
	  "\"2001:db8::1\"\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [233.252.0.1, \"fe80::1\", 0.0.0.0]}\n",
	  "f:2:23: `map-resolvers` is 233.252.0.1, which is a multicast address; write a unicast address that others can reach\n"
	  "f:2:36: `map-resolvers` is fe80::1, which is link-local; write a unicast address that others can reach\n"
	  "f:2:47: `map-resolvers` is 0.0.0.0, which is no address; write a unicast address that others can reach\n" },
	{ ITR "etr: {database: [{eid: 10.1.0.0/33}]}\n",
	  "f:3:24: `eid` is `10.1.0.0/33`, not a prefix; write an address and a length, as 10.1.0.0/24 or \"fd01::/64\"\n" },
	{ ITR "etr: {database: [{eid: 10.1.0.1/24}]}\n",
	  "f:3:24: `eid` is 10.1.0.1/24, which has bits set beyond its length; write 10.1.0.0/24\n" },
	{ ITR "etr: {database: [{eid: 10.1.0.1}, {eid: \"fd01::\"}]}\n",
	  "f:3:24: `eid` is `10.1.0.1`, which has no length; write an address and a length, 10.1.0.1/32 if it is one host\n"
	  "f:3:41: `eid` is `fd01::`, which has no length; write an address and a length, fd01::/128 if it is one host\n" },
	{ DP "overlay: [{device: xtr0, routes: [10.0.0.0]}]\n",
	  "f:4:35: `routes` is `10.0.0.0`, which has no length; write an address and a length, 10.0.0.0/32 if it is one host\n" },
	{ "map-server: {sites: [], aggregates: [\"[5]10.0.0.0\"]}\n",
	  "f:1:38: `aggregates` is `[5]10.0.0.0`, which has no length; write an address and a length, 10.0.0.0/32 if it is one host\n" },
	{ ITR "etr: {database: [{eid: 233.252.0.0/24}, {eid: 127.0.0.0/8}, {eid: 169.254.1.0/24}, {eid: \"::/128\"}]}\n",
	  "f:3:24: `eid` is 233.252.0.0/24, which is multicast and can not be an EID; write a unicast prefix\n"
	  "f:3:47: `eid` is 127.0.0.0/8, which is loopback and can not be an EID; write a unicast prefix\n"
	  "f:3:67: `eid` is 169.254.1.0/24, which is link-local and can not be an EID; write a unicast prefix\n"
	  "f:3:90: `eid` is ::/128, which is the unspecified address and can not be an EID; write a unicast prefix\n" },
	{ ITR "etr: {database: [{eid: 10.1.0.0/24, instance: 16777215}]}\n",
	  "f:3:47: `instance` is 16777215, out of range; write a whole number from 0 to 16777214\n" },
	{ "map-server: {sites: [], aggregates: [\"[16777215]10.0.0.0/8\", \"[5\"]}\n",
	  "f:1:38: `aggregates` is `[16777215]10.0.0.0/8`; write an instance ID from 0 to 16777214 in the brackets\n"
	  "f:1:62: `aggregates` is `[5`; write \"[instance]prefix\", as \"[5]10.0.0.0/8\"\n" },
	{ ITR "etr: {}\n", "f:3:6: etr has no `database`; add it: the EID-prefixes behind this router\n" },
	{ ITR "etr: {database: [{instance: 5}]}\n",
	  "f:3:18: an entry of etr.database has no `eid`; add it: EID-prefix we are authoritative for; one inside another is legal\n" },

	/* roles */
	{ "log-level: info\n", "f:1:1: no role is switched on; add itr:, etr:, map-server: or map-resolver:\n" },
	{ "map-resolver:\n", "f:1:14: the Map-Resolver knows nobody to ask; add map-servers: to it, or map-server: to this node\n" },
	{ "itr: {map-resolvers: [192.0.2.11]}\n",
	  "f:1:6: `itr` needs `rlocs`, and there is none; add rlocs: with the address of this host in the underlay\n" },

	/* EID-prefixes that meet */
	{ ITR "etr:\n  database:\n    - eid: 10.1.0.0/24\n    - eid: 10.1.0.0/16\n    - eid: 10.1.0.0/24\n",
	  "f:7:12: EID-prefix 10.1.0.0/24 of instance 0 is here for the second time, the first is in line 5; remove one\n" },
	{ "map-server:\n  sites:\n"
	  "    - {name: a, key-file: $/a.key, eid-prefixes: [{eid: 10.1.2.0/24}]}\n"
	  "    - {name: b, key-file: $/b.key, eid-prefixes: [{eid: 10.1.0.0/16, accept-more-specifics: true}]}\n",
	  "f:4:REST: EID-prefix 10.1.0.0/16 of instance 0 overlaps 10.1.2.0/24 of site a in line 3; give each part of the space to one site\n" },
	{ "map-server:\n  sites:\n"
	  "    - {name: a, key-file: $/a.key, eid-prefixes: [{eid: 10.1.0.0/16}]}\n"
	  "    - {name: b, key-file: $/b.key, eid-prefixes: [{eid: 10.1.0.0/16}]}\n",
	  "f:4:REST: EID-prefix 10.1.0.0/16 of instance 0 overlaps 10.1.0.0/16 of site a in line 3; give each part of the space to one site\n" },

	/* this host */
	{ "rlocs:\n  - address: 192.0.2.9\n" "itr: {map-resolvers: [192.0.2.11]}\n",
	  "f:2:14: no interface of this host has the RLOC 192.0.2.9; set it (ip address add 192.0.2.9/32 dev ...) or write the address that is there\n" },
	{ "rlocs: [{address: 127.0.0.1}]\ninterfaces: [{name: eth0, role: underlay}]\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:1:19: RLOC 127.0.0.1 is a loopback address, which nobody else can reach; write an address of the underlay\n" },
	{ "rlocs: [{address: 192.0.2.1}, {address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:1:41: RLOC 192.0.2.1 is here for the second time, the first is in line 1; remove one\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth7, role: underlay}\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:3:12: there is no interface eth7 on this host; write one of those that ip link shows\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: underlay}\n  - {name: eth0, role: eid}\nitr: {map-resolvers: [192.0.2.11]}\n"
	  "overlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n",
	  "f:4:12: interface eth0 is here for the second time, the first is in line 3; remove one\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: eid}\nitr: {map-resolvers: [192.0.2.11]}\n"
	  "overlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n",
	  "f:3:3: no interface has role: underlay; name the one with the RLOC\n" },
	{ DP2 "overlay: [{device: xtr0}]\n",
	  "f:4:12: instance 0 has no `routes` in `overlay`: what is too big for the path would leave without LISP; add the EID space there\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: underlay, untagged-only: true}\n"
	  "  - {name: eth1, role: eid, untagged-only: true}\n  - {name: eth1, role: eid, vlan: 7}\noverlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n"
	  "itr: {map-resolvers: [192.0.2.11]}\n",
	  "f:3:49: `untagged-only` is for role eid: frames with a tag are never an underlay's; remove it\n"
	  "f:4:44: tagged frames do come in at eth1, says `vlan: 7` of line 5; remove one of the two\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: underlay, instance: 5}\n  - {name: eth1, role: eid, instance: 6}\n"
	  "itr: {map-resolvers: [192.0.2.11]}\n",
	  "f:3:44: an underlay interface has no instance: LISP headers carry it; remove this key\n"
	  "f:4:39: instance 6 has no overlay device to deliver on; add one to `overlay` with instance: 6\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: this-name-is-far-too-long, role: underlay}\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:3:12: `name` is `this-name-is-far-too-long`, which no interface can be called; write a name of at most 15 characters without space, / and :\n" },
	{ MR "user: nobody-is-called-this\n",
	  "f:2:7: there is no user nobody-is-called-this on this host; make it (useradd --system nobody-is-called-this) or remove the key\n" },

	/* overlay */
	{ ITR "overlay: [{device: xtr0}]\n", "f:3:10: `overlay` needs `interfaces`; add interfaces: with the underlay interface\n" },
	{ DP "overlay: [{device: xtr0}, {device: xtr0, instance: 1}, {device: xtr2, instance: 1}, {device: eth0, instance: 3}]\n",
	  "f:2:21: eth0 is the overlay device of line 4, not a port; remove this entry\n"
	  "f:4:36: device xtr0 is here for the second time, the first is in line 4; remove one\n"
	  "f:4:81: instance 1 already has the device xtr0 of line 4; write another instance, or add the routes there\n" },
	{ DP "overlay: [{device: xtr0, mtu: 1000}]\n", "f:4:31: `mtu` is 1000; write 0 or 1280 to 65000 (IPv6 needs 1280)\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces: [{name: eth0, role: underlay}]\netr: {database: [{eid: 10.1.0.0/24}]}\n"
	  "overlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n",
	  "f:4:35: EID routes need an ITR to look the EIDs up; add itr: with map-resolvers\n" },
	{ DP "overlay: [{device: xtr0, addresses: [10.9.0.1/32], routes: [10.0.0.0/8]}]\n",
	  "f:4:38: 10.9.0.1 is in no EID-prefix of etr.database (instance 0), so its packets would be dropped (encap-source); add the prefix there, or "
	  "set data-plane.check-source: false\n" },
	{ DP "etr: {database: [{eid: 10.1.0.0/24, instance: 8}]}\n",
	  "f:4:47: instance 8 has no overlay device to deliver on; add one to `overlay` with instance: 8\n" },
	{ DP "overlay: [{device: xtr0, routes: [10.0.0.0/8, 10.0.0.0/8]}]\n",
	  "f:4:47: route 10.0.0.0/8 is here for the second time, the first is in line 4; remove one\n" },
	{ DP "overlay: [{device: xtr0, routes: [192.0.0.0/16]}]\n",
	  "f:1:19: RLOC 192.0.2.1 is inside the EID space 192.0.0.0/16 that line 4 routes into xtr0; take narrower routes or an address outside them\n"
	  "f:3:23: map-resolver 192.0.2.11 is inside the EID space 192.0.0.0/16 that line 4 routes into xtr0; take narrower routes or an address "
	  "outside them\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11, 192.0.2.11]}\n",
	  "f:2:35: map-resolver 192.0.2.11 is here for the second time, the first is in line 2; remove one\n" },

	/* groups */
	{ ITR "multicast: [{group: 233.252.1.1}]\n",
	  "f:3:12: `multicast` needs `interfaces`; add interfaces: with the underlay interface\n" },
	{ DP "multicast: [{group: 10.1.0.0}, {group: 224.0.0.9}, {group: \"ff02::9\"}, {instance: 3}]\n",
	  "f:4:21: `group` is 10.1.0.0, which is no multicast address; write a multicast address that routers forward, as 233.252.1.1 or \"ff08::4341\"\n"
	  "f:4:40: `group` is 224.0.0.9, which is a group of one link; write a multicast address that routers forward, as 233.252.1.1 or "
	  "\"ff08::4341\"\n"
	  "f:4:60: `group` is ff02::9, which is a group of one link; write a multicast address that routers forward, as 233.252.1.1 or \"ff08::4341\"\n"
	  "f:4:72: an entry of multicast has no `group`; add it: multicast address that hosts use\n" },
	{ DP "multicast:\n  - {group: 233.252.1.1, instance: 3}\n  - {group: 233.252.1.1}\n  - {group: 233.252.1.1}\n"
	  "  - {group: 233.252.1.1, source: \"fd01::1\"}\n  - {group: 233.252.1.1, source: 10.1.0.1, copies-to: [192.0.2.2, 192.0.2.2]}\n"
	  "overlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n",
	  "f:5:36: instance 3 has no overlay device to deliver on; add one to `overlay` with instance: 3\n"
	  "f:7:13: group 233.252.1.1 is here for the second time, the first is in line 6; remove one\n"
	  "f:8:34: `source` and `group` are of different families; write a source in the family of the group\n"
	  "f:9:67: copies-to 192.0.2.2 is here for the second time, the first is in line 9; remove one\n" },

	/* tenants */
	{ DP "overlay:\n  - {device: xtr0, routes: [10.0.0.0/8]}\n  - {device: xtr5, instance: 5, routes: [\"fd00::/8\", 10.5.0.0/16]}\n",
	  "f:6:54: 10.5.0.0/16 of xtr5 (instance 5) overlaps 10.0.0.0/8 of xtr0 (instance 0) in line 5, and the host routes both by the same tables: "
	  "packets of one would go into the other; place one of the devices with `namespace` or `vrf`, or take routes that do not overlap\n" },
	{ DP "overlay:\n  - {device: xtr0, namespace: red, routes: [10.5.0.0/16]}\n  - {device: xtr5, namespace: red, instance: 5, routes: [10.5.0.0/16]}\n",
	  "f:6:58: 10.5.0.0/16 of xtr5 (instance 5) overlaps 10.5.0.0/16 of xtr0 (instance 0) in line 5, and the host routes both by the same tables: "
	  "packets of one would go into the other; place one of the devices with `namespace` or `vrf`, or take routes that do not overlap\n" },
	{ DP "overlay: [{device: xtr0, namespace: ../red}]\n",
	  "f:4:37: `namespace` is `../red`; write a name that ip netns list shows, or a path that starts with /\n" },
	{ DP "overlay: [{device: xtr0, namespace: ..}]\n",
	  "f:4:37: `namespace` is `..`; write a name that ip netns list shows, or a path that starts with /\n" },
	{ DP "overlay: [{device: xtr0, namespace: /run/" X100 "/" X100 "}]\n",
	  "f:4:37: `namespace` is longer than 127 characters; take a shorter name or path\n" },
	{ DP "overlay: [{device: xtr0, vrf: this-name-is-too-long}]\n",
	  "f:4:31: `vrf` is `this-name-is-too-long`, which no interface can be called; write a name of at most 15 characters without space, / and :\n" },
	{ DP2 "overlay: [{device: xtr0, namespace: red, routes: [10.0.0.0/8]}]\n",
	  "f:4:5: eth1 has instance 0, whose overlay device xtr0 (line 6) is in a network namespace, where the interface is not; use `vrf` there, or "
	  "give the interface another instance\n" },

	/* key files */
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/none.key}\n",
	  "f:6:39: key file $/none.key: No such file or directory; write the secret into it, mode 0600\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/open.key}\n",
	  "f:6:39: key file $/open.key has mode 0644: others than its owner can use it; chmod 0600 $/open.key\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/group.key}\n",
	  "f:6:39: key file $/group.key has mode 0640: others than its owner can use it; chmod 0600 $/group.key\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/empty.key}\n",
	  "f:6:39: key file $/empty.key has nothing in its first line; write the secret there\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/line.key}\n",
	  "f:6:39: key file $/line.key has nothing in its first line; write the secret there\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $}\n",
	  "f:6:39: key file $ is not a regular file; name a file with the secret in its first line\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10}\n",
	  "f:6:7: an entry of etr.map-servers has no `key-file`; add it: file with the shared secret in its first line, mode 0600\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/a.key, algorithm: md5}\n",
	  "f:6:REST: `algorithm` is `md5`; write hmac-sha-256-128, hmac-sha-1-96 or hmac-sha-256-128-hkdf\n" },

	/* sites */
	{ "map-server:\n  sites:\n"
	  "    - name: a\n      key-file: $/a.key\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n"
	  "    - name: b\n      key-file: $/a2.key\n      eid-prefixes: [{eid: 10.2.0.0/16}]\n",
	  "f:7:17: sites a and b have the same secret (RFC 9301 5.6); make one for each site, or write shared-secret: true on both\n" },
	{ "map-server:\n  sites:\n"
	  "    - name: a\n      key-file: $/a.key\n      shared-secret: true\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n"
	  "    - name: b\n      key-file: $/a2.key\n      eid-prefixes: [{eid: 10.2.0.0/16}]\n",
	  "f:8:17: sites a and b have the same secret (RFC 9301 5.6); make one for each site, or write shared-secret: true on both\n" },
	{ "map-server:\n  sites:\n"
	  "    - name: a\n      key-file: $/a.key\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n"
	  "    - name: a\n      key-file: $/b.key\n      eid-prefixes: [{eid: 10.2.0.0/16}]\n",
	  "f:6:13: site a is here for the second time, the first is in line 3; rename or remove one\n" },
	{ "map-server:\n  sites:\n    - name: a\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n",
	  "f:3:7: site a has no key; add key-file: FILE with the secret of the site\n" },
	{ "map-server:\n  sites:\n    - name: a\n      keys: [{key-file: $/b.key}]\n      key-file: $/a.key\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n",
	  "f:4:13: site a has both `key-file` and `keys`; move the file into `keys`\n" },
	{ "map-server:\n  sites:\n    - name: a\n      keys: [{key-file: $/b.key}]\n      key-id: 4\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n",
	  "f:5:15: site a has no `key-file` that this could belong to; write it in the entry of `keys`\n" },
	{ "map-server:\n  sites:\n    - name: a\n      keys:\n        - {key-id: 1, key-file: $/a.key}\n        - {key-id: 1, key-file: $/b.key}\n"
	  "      eid-prefixes: [{eid: 10.1.0.0/16}]\n",
	  "f:6:20: site a has key-id 1 with this algorithm for the second time; give each key an ID of its own\n" },

	/* timers that contradict */
	{ MR "timers:\n  request-retry-first: 40\n",
	  "f:3:24: `request-retry-first` (40 s) is longer than `request-retry-max` (32 s); write a smaller one\n" },

	{ MR "data-plane: {route-table: 252}\n",
	  "f:2:27: `route-table` is 252, but tables 253 to 255 are the host's and the one behind ours is used too; write another\n" },

	/* many at once, in the order of the file, from the table and from the checks */
	{ "rlocs:\n  - address: 192.0.2.9\n    priority: 300\n  - address: 203.0.113.1\nlog-level: loud\nitr:\n  map-resolvers: [x]\ncolour: red\n",
	  "f:3:15: `priority` is 300, out of range; write a whole number from 0 to 255\n"
	  "f:4:14: no interface of this host has the RLOC 203.0.113.1; set it (ip address add 203.0.113.1/32 dev ...) or write the address that is "
	  "there\n"
	  "f:5:12: `log-level` is `loud`; write error, warn, info or debug\n"
	  "f:7:19: `map-resolvers` is `x`, not an address; write an IPv4 or IPv6 address without a length, as 192.0.2.1 or \"2001:db8::1\"\n"
	  "f:8:1: unknown key `colour` in the top level; the keys are rlocs, interfaces, overlay, multicast, etr, itr, map-server, map-resolver, decent, xtr-id, site-id, "
	  "state-dir, control-socket, bpffs, user, log-level, data-plane, timers, limits\n" },
};

Test(config, mistakes_and_their_messages)
{
	expect_mistakes(bad, sizeof(bad) / sizeof(bad[0]));
}

/* ---- bounds */

Test(config, errors_are_bounded_and_the_rest_is_counted)
{
	size_t room = 300 * 16, at = 0;
	char *text = malloc(room + 1), *errors;

	for (int i = 0; i < 300; i++)
		at += (size_t)snprintf(text + at, room - at + 1, "zz%03d: 1\n", i);
	cr_assert_null(parse(text, &errors));
	cr_assert_not_null(strstr(errors, "f: and 101 more errors; correct these first\n"), "%s", errors);
	free(errors);
	free(text);
}

Test(config, many_sites_are_checked_fast)
{
	enum { SITES = 5000 };
	size_t room = SITES * 128, at = 0;
	char *text = malloc(room), *full, *errors;
	struct xtr_conf *c;

	at += (size_t)snprintf(text, room, "map-server:\n  sites:\n");
	for (int i = 0; i < SITES; i++)
		at += (size_t)snprintf(text + at, room - at, "    - {name: s%d, key-file: $/a.key, shared-secret: true, eid-prefixes: [{eid: 10.%d.%d.0/24}]}\n",
				       i, i / 250, i % 250);
	full = text;
	c = parse(full, &errors);
	cr_assert_not_null(c, "%s", errors);
	cr_assert_eq(c->node.site_count, SITES);
	xtr_conf_free(c);
	free(text);
}
