#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Messages another implementation recorded (tests/unit/vectors/odl), sent to a running daemon: the well-formed ones get
the verdict that the configuration of the site gives them, the malformed ones a counted drop."""
from peer import *  # noqa: F403

MS, SECRET = "172.16.0.1", b"password"

v = Verdicts()
ms = Daemon("ms")
A = Ear("f", "172.16.0.11")
ITRS = {a: Ear("f", a) for a in ("192.168.136.10", "10.0.58.156", "1.2.3.4", "17.34.52.86")}
VECTORS = json.load(open(os.path.join(os.path.dirname(__file__),
        "../unit/vectors/odl/packets.json"), encoding="ascii"))


def play(hex_):
    """-> what the counters say of it, the Map-Notify, Map-Replies."""
    for e in list(ITRS.values()) + [A]:
        e.drain()
    before = ms.control()
    A.send(MS, bytes.fromhex(hex_))
    now = until(1, lambda: (n := ms.control())["rx"] > before["rx"] and n)
    delta = {k: now[k] - before[k] for k in now if now[k] != before[k]}
    m = A.recv(0.01)[0]
    return delta, m, [(a, r) for a, e in ITRS.items() if (r := e.recv(0)[0])]


def masked(eid):
    net = ipaddress.ip_network(eid.split("]")[-1], strict=False)
    return (eid[:eid.index("]") + 1] if "]" in eid else "") + str(net)


# Positive vectors whose verdict needs a word. Everything else follows from their auth and M bit.
SPECIAL = {
    "mreg-no-auth": "drop-algorithm", "mreg-key0-with-auth-data": "drop-algorithm",
    # never without authentication
    "mreg-i-bit-iid-lcaf-rloc": "drop-authentication",  # its key is not known
    "mreg-sha256": "drop-algorithm",
    # the site is for algorithm 1: no other, not even a stronger one, by the sender's choice
    "mreg-xtrid-mac": "drop-no-site",  # no site can have MAC addresses
    "ecm-mreq-integration": "drop-malformed",  # both inner checksums are wrong
    "mreq-flags-a-s": "drop-smr", "mreq-flags-smr-invoked": "drop-smr",
    # the S bit is set in both; there is no ITR here
    "mreq-contains-map-reply": "drop-eid-not-ours",
    # P bit, as in the next two: a Map-Server is not probed
    "mreq-serialize-all": "drop-eid-not-ours",
    "mreq-serialize-all-with-map-reply": "drop-eid-not-ours",
    "mreq-xtr": "drop-no-usable-itr-rloc",  # its ITR-RLOC is a loopback address
}


def registers():
    for x in VECTORS:
        if x["use"] != "positive" or x["type"] != "map-register":
            continue
        auth = x.get("auth") or {}
        delta, notify, _ = play(x["hex"])
        want = SPECIAL.get(x["name"]) or (None if auth.get("valid") else "drop-authentication")
        if want:
            v.ok("%s: %s" % (x["name"], want), delta.get(want) == 1 and not notify and
                    not delta.get("register-accepted"), delta)
            continue
        v.ok(x["name"] + ": accepted", delta.get("register-accepted") == 1 and
                not any(k.startswith("drop") for k in delta), delta)
        m = bytes.fromhex(x["hex"])
        if not m[2] & 1:
            v.same("... M clear: no Map-Notify", notify, None)
            continue
        n = read_signed(notify, SECRET)
        eids = [masked(r["eid"]) for r in x["expected"].get("records", []) if "eid" in r]
        v.ok("... Map-Notify with its nonce and EID-prefixes", n.nonce == int.from_bytes(m[4:12],
                "big") and
             (not eids or [r.eid for r in n.records] == eids), n)


def others():
    for x in VECTORS:
        if x["use"] != "positive" or x["type"] not in ("map-request", "ecm", "map-notify",
                "map-reply"):
            continue
        delta, _, replies = play(x["hex"])
        dropped = [k for k in delta if k.startswith("drop")]
        if x["type"] == "map-notify":
            v.same(x["name"] + ": no ETR here", dropped, ["drop-role-off"])
        elif x["type"] == "map-reply":
            v.same(x["name"] + ": no question of ours", dropped, ["drop-unknown-nonce"])
        elif x["name"] in SPECIAL:
            v.same("%s: %s" % (x["name"], SPECIAL[x["name"]]), dropped, [SPECIAL[x["name"]]])
        else:
            got = [(a, read_reply(r)) for a, r in replies]
            m = bytes.fromhex(x["hex"])
            at = m.index(b"\x10\xf6", 24) + 8 if x["type"] == "ecm" else 0
            there = [a for a in x["expected"].get("itr_rlocs", []) if a in ITRS]
            v.ok(x["name"] + ": answered" + (" to its ITR-RLOC" if there else ""),
                    delta.get("tx-map-reply") == 1 and not dropped and (
                not there or (len(got) == 1 and got[0][0] in there and got[0][1].nonce
                == int.from_bytes(m[at + 4:at + 12], "big"))), (delta, got))


def negative():
    bad = []
    for x in VECTORS:
        if x["use"] == "negative" and x["type"] != "lcaf":
            delta, m, replies = play(x["hex"])
            if m or replies or delta.get("register-accepted") or sum(delta[k] for k in delta
                    if k.startswith("drop")) != 1:
                bad.append((x["name"], delta))
    v.same("every negative vector is one counted drop", bad, [])
    lost = []
    for x in VECTORS:
        if x["type"] == "lcaf" and "carrier_hex" in x:
            delta, _, _ = play(x["carrier_hex"])
            if sum(delta[k] for k in delta if k.startswith("drop") or
                    k.startswith("tx-map-reply")) != 1:
                lost.append((x["name"], delta))
    v.same("every LCAF vector in its carrier is answered or a counted drop", lost, [])


for case in (registers, others, negative):
    v.run(case.__name__, case)
v.end()
