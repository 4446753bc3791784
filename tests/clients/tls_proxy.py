"""TLS in front of a gateway, as a deployment has it: the stock `boto3` sends a key over HTTPS only.

Passes bytes on and changes none. The certificate is made for one run, by the `openssl` command. To try something by hand:
`tls_proxy.py http://localhost:8700` prints the address and the certificate (for AWS_CA_BUNDLE), and serves until it is interrupted.
"""

import contextlib
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse


@contextlib.contextmanager
def serving(url):
    """Yields the address to use instead of `url`, and the file of the certificate to trust."""
    at = urllib.parse.urlsplit(url)
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = made_certificate(pathlib.Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=accept, args=(listener, context, (at.hostname, at.port)), daemon=True).start()
            yield f"https://127.0.0.1:{listener.getsockname()[1]}", str(certificate)


def made_certificate(folder):
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*asked, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def accept(listener, context, upstream):
    with contextlib.suppress(OSError):  # the listener is closed at the end
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, context, upstream), daemon=True).start()


def serve(connection, context, upstream):
    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as outside:
        with socket.create_connection(upstream) as inside:
            back = threading.Thread(target=pump, args=(inside, outside), daemon=True)
            back.start()
            pump(outside, inside)
            back.join()


def pump(source, target):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    with serving(sys.argv[1]) as (address, trusted), contextlib.suppress(KeyboardInterrupt):
        print(address, trusted, flush=True)
        threading.Event().wait()
