#!/usr/bin/python3
"""imageserver.py FOLDER CERTIFICATE LOG: the files of a folder by https on 127.0.0.1, on a port that the first line of the log tells.

A request for a name with "slow" in it gets its first bytes and then nothing for a long time.
"""
import http.server
import ssl
import sys
import time


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args):
        super().__init__(*args, directory=sys.argv[1])

    def do_GET(self):
        if "slow" not in self.path or not self.path.endswith("rootfs.tar.xz"):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"begun")
        self.wfile.flush()
        self.log_message("stalled")
        time.sleep(100)

    def log_message(self, format, *args):
        with open(sys.argv[3], "a") as log:
            log.write(format % args + "\n")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(sys.argv[3], "w") as log:
    log.write("%d\n" % server.server_address[1])
server.serve_forever()
