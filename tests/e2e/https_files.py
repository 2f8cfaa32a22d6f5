#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Files over HTTPS, with ETag: https_files.py ADDRESS PORT FOLDER CERTIFICATE KEY. One line per answer on stdout."""
import hashlib
import http.server
import os
import ssl
import sys

address, port, folder, certificate, key = sys.argv[1:]


class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body=b"", tag=None):
        print(code, self.path, flush=True)
        self.send_response(code)
        if tag:
            self.send_header("ETag", tag)
        if code != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        try:
            with open(os.path.join(folder, os.path.basename(self.path)), "rb") as f:
                body = f.read()
        except OSError:
            return self.answer(404)
        tag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, tag=tag)
        return self.answer(200, body, tag)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer((address, int(port)), Files)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
# The handshake belongs to the connection's thread: a client that does not like the certificate must not end the server.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
