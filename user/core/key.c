// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Keys shared with Map-Servers, ETRs and members of a group (RFC 9301 5.6). The secrets belong to the configuration. */
#include "core/key.h"

#include <string.h>

#include "codec/auth.h"

bool xtr_key_equal(const struct xtr_key *a, const struct xtr_key *b)
{
	return a->key_id == b->key_id && a->alg_id == b->alg_id && a->secret_len == b->secret_len &&
	       (!a->secret_len || !memcmp(a->secret, b->secret, a->secret_len));
}

bool xtr_key_signed(const struct xtr_key *key, const struct xtr_register *m)
{
	if (m->key_id != key->key_id || m->alg_id != key->alg_id)
		return false;
	if (key->alg_id == XTR_AUTH_NONE)
		return true;
	return !xtr_auth_verify(m->msg, m->msg_len, m->auth_off, m->auth_len, m->type, m->alg_id,
				m->nonce, key->secret, key->secret_len);
}
