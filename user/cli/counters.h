/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the counters of the control plane mean (xtrctl stats control). The names are those of roles/node.h and of the sockets, which
 * the tool does not link; a test compares them.
 */
#ifndef XTR_CLI_COUNTERS_H
#define XTR_CLI_COUNTERS_H

#define XTR_CONTROL_COUNTERS(X) \
	X("rx", "UDP messages received") \
	X("tx", "UDP messages sent") \
	X("tx-failed", "messages that the kernel did not take (no route, or no RLOC of that family; see xtrctl monitor)") \
	X("rx-map-request", "Map-Requests received, those in an ECM too") \
	X("rx-map-reply", "Map-Replies received") \
	X("rx-map-register", "Map-Registers received") \
	X("rx-map-notify", "Map-Notifies received") \
	X("rx-map-notify-ack", "Map-Notify-Acks received") \
	X("rx-ecm", "Encapsulated Control Messages received") \
	X("rx-info", "Info-Requests and Info-Replies received") \
	X("tx-map-request", "Map-Requests sent") \
	X("tx-map-reply", "Map-Replies sent") \
	X("tx-map-register", "Map-Registers sent") \
	X("tx-map-notify", "Map-Notifies sent") \
	X("tx-map-notify-ack", "Map-Notify-Acks sent") \
	X("tx-forwarded-request", "Map-Requests forwarded to an ETR or a Map-Server") \
	X("drop-malformed", "messages that are truncated or whose lengths and counts disagree") \
	X("drop-unknown-type", "messages of a type that is none of ours") \
	X("drop-unknown-afi", "messages with an address family that can not be used there") \
	X("drop-role-off", "messages for a role that this node does not have (itr, etr, map-server, map-resolver)") \
	X("drop-authentication", "messages whose key ID is not configured or whose MAC does not verify: the secrets differ (see xtrctl site)") \
	X("drop-replayed-nonce", "Map-Registers with a nonce that is not higher than the last one (replay: off, if the ETR draws them at random)") \
	X("drop-no-site", "Map-Registers of an EID-prefix that is in no site of map-server.sites") \
	X("drop-prefix-outside-site", "EID-prefixes that the site which registers them does not have, or more-specific ones it may not register") \
	X("drop-algorithm", "messages with another authentication algorithm than is configured for the key") \
	X("drop-unknown-nonce", "answers to nothing that was asked, or that came too late or twice") \
	X("drop-reply-does-not-match", "Map-Replies about another EID than was asked for") \
	X("drop-reply-overclaims", "Map-Replies for more than whoever answers may speak for") \
	X("drop-probe-in-mapping-system", "RLOC-probes that came through the mapping system") \
	X("drop-rate-limit", "messages above a rate limit (limits of the configuration)") \
	X("drop-table-full", "no room in a table: see xtrctl stats maps for which, and the key to raise") \
	X("drop-no-usable-itr-rloc", "Map-Requests with no ITR-RLOC that can be answered from here") \
	X("drop-eid-not-ours", "Map-Requests for an EID that is not ours to answer") \
	X("drop-lisp-sec-wanted", "messages that want LISP-SEC, which is not there") \
	X("drop-port", "messages from or to a port that they may not use") \
	X("miss", "map-cache misses handed to the ITR") \
	X("miss-limited", "misses for which nothing was asked: above limits.requests-per-second, or unanswered lately") \
	X("request-timeout", "EIDs that were asked for and that nobody answered") \
	X("cache-evicted", "map-cache entries removed to make room") \
	X("cache-refused", "mappings that found no room in the map-cache (see xtrctl stats maps)") \
	X("register-accepted", "Map-Registers accepted") \
	X("registration-expired", "registrations that ended because no Map-Register came in time") \
	X("negative-sent", "negative Map-Replies sent") \
	X("drop-forwarding-loop", "Map-Requests that would be forwarded to whom they came from or to ourselves") \
	X("drop-smr", "Solicit-Map-Requests that were not followed: not from a locator of the mapping, or too many") \
	X("smr-given-up", "Solicit-Map-Requests that were given up: too many peers or changes at once") \
	X("rx-smr", "Solicit-Map-Requests received") \
	X("tx-smr", "Solicit-Map-Requests sent") \
	X("tx-group", "messages sent to a group") \
	X("rx-group", "messages received by a group") \
	X("dns-lookups", "names of Map-Servers looked up") \
	X("dns-failures", "of these, without a usable answer (see xtrctl decent names)") \
	X("drop-not-our-group", "messages to a group that this node is no member of") \
	X("subscriptions", "subscriptions accepted (RFC 9437)") \
	X("publications", "changes told to subscribers (RFC 9437)") \
	X("request-yielded", "questions given up for others: a source or an instance had more than its share") \
	X("drop-too-long", "datagrams longer than any message") \
	X("drop-not-unicast", "messages from or to an address that may not be used with that socket")

#endif
