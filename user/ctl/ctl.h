/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control socket: a Unix stream socket (mode 0600), one JSON object per line in each direction.
 *
 *   request  {"object":"cache","command":"show","args":{...}}
 *   reply    {"result": <any>}  or  {"error":"text"}; with "truncated":true beside the result when rows were left out (50000 are
 *            the most: ask for a prefix, an instance or a site)
 *   monitor  (object "monitor", command "show", args: {"kinds":[...]}, all without it) replies {"result":"listening"}, then
 *            {"event":{"time":"2024-01-31T12:00:00.123Z","kind":"cache-add","eid":"[0]10.2.0.0/24","text":"..."}} per event until the
 *            client closes; kind packet-dropped has {reason, iid, source, destination, interface} besides. A client that does
 *            not read is cut off at a bounded backlog.
 *
 * Results (keys are a promise: append only). Ages and times are numbers in seconds (real), null where unknown. EIDs of
 * results are "eid":"10.2.0.0/24" with "iid":0 beside it. Counters are integers.
 *
 *   cache show [args: eid, iid, limit, after: {eid, iid}]
 *                                    in the order of instance, family, prefix; at most limit rows behind that entry: with
 *                                    "truncated", ask again after the last one
 *                                    [{iid, eid, action, source, authoritative, map_version, age, ttl_left, idle, from, locators:
 *                                      [{address, priority, weight, mpriority, mweight, reachable, local, usable}]}]
 *          pending                   [{iid, eid, tries, age, next, resolver}]
 *          add args: {eid, iid, action | rlocs:[{address, weight}]} -> {iid, eid}; delete args: {eid, iid} and flush -> {"deleted":N}, with
 *                                    args limit at most so many, "truncated" if there may be more
 *          load args: {entries: [{eid, action | rlocs}]} -> {added, refused, first: null or {entry, error}}
 *   eid show [args: eid, iid, limit, skip]
 *                                    at most limit rows without the first skip of them: with "truncated", ask again with as many
 *                                    more as came (the same ones as long as the configuration is)
 *                                    [{iid, eid, ttl_min, map_server, key_id, algorithm, acked, registers_sent, notifies,
 *                                      last_sent, last_ack, problem, locators:[...]}]
 *   site show [args: name, eid, iid, limit, after]
 *                                    in parts as cache show, all of one EID-prefix in one
 *                                    [{site, iid, eid, configured, registered, proxy, registrant, xtr_id, age, expires, ended, withdrawn, more_specifics,
 *                                      registers, refused, last_refusal, last_refusal_age, last_refusal_from, locators:[...]}]
 *   stats control                    {name: value} of XTR_NODE_COUNTERS, and drop-too-long, drop-not-unicast of the sockets
 *          maps                      {maps: [{name, key, entries, max}] of the kernel, tables: [the same] of the roles, refused}
 *   config show                      the configuration in effect (secrets masked); reload -> {"changed":[text...]}; path
 *   lig args: {eid, iid, to?}        {from, rtt, tries, records:[{iid, eid, ttl_min, action, authoritative, map_version, locators}]}
 *   version show                     {version, abi, pid, uptime, roles:[...]}
 *
 * LISP-Decent; what is not configured is null. state: self, live (its registration is there), peer (configured, not seen),
 * former (its registration expired, still tried).
 *   decent show                      {pull, dns, parameters, push}
 *          pull                      {profile, modulus, suffix, hash_mask, digest_octets, lookups:[{eid, iid (null: any), length}],
 *                                      short_prefixes: "refuse" or "everywhere", require_dnssec, family: "any", "ipv4" or "ipv6",
 *                                      names, stale (numbers of names), old: null or {profile, modulus, suffix, hash_mask,
 *                                      digest_octets, lookups, left}}
 *          dns                       {servers:[text], https:[text], require_dnssec, lookups, failures}
 *          parameters                {url, age, next, failures, saved, problem, used, serial (null: not used)}
 *          push                      as groups below
 *   decent names                     [{name, index, old, self, stale, saved, authenticated, addresses:[{address, resting}], ignored,
 *                                      ttl, age, next, failures, registered, problem}]; registered: EID-prefixes of ours there
 *   decent groups                    [{group, member, own, core, transport: "underlay" or "overlay", via: "self", "core" or "pull",
 *                                      known, subscribed, next_lookup, problem, members:[{address, state, acked, since, last_ack}]}]
 */
#ifndef XTR_CTL_CTL_H
#define XTR_CTL_CTL_H

#include <jansson.h>
#include "util/err.h"

#define XTR_CTL_PATH "/run/xtr/xtrd.sock"
#define XTR_CTL_LINE_MAX (64u << 20)   /* longest reply a client takes */
#define XTR_CTL_REQUEST_MAX 65536      /* longest request the daemon takes */

/* Client. Connects, sends, waits for one reply. *result is owned by the caller. -ENOENT or -ECONNREFUSED: no daemon;
 * 1: as 0, but the daemon has more rows than *result. -EREMOTEIO: the daemon answered with an error: *result is its text, err
 * what of it fits. timeout_ms < 0: wait for ever. */
int xtr_ctl_call(const char *path, const char *object, const char *command, json_t *args /* stolen, may be NULL */,
		 int timeout_ms, json_t **result, struct xtr_err *err);
/* Client of monitor: calls fn for each event until it returns non-zero (returned) or the daemon goes (-EPIPE). */
int xtr_ctl_monitor(const char *path, json_t *args, int (*fn)(void *, const json_t *event), void *arg, struct xtr_err *err);

#endif
