#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""An echo server and client on QDtls in Python, with PySide6.

echo.py server PORT CERTIFICATE KEY
echo.py client PORT AUTHORITY TEXT
"""

import sys

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtNetwork import (
    QDtls, QDtlsClientVerifier, QDtlsError, QHostAddress, QSsl, QSslCertificate, QSslConfiguration,
    QSslKey, QSslSocket, QUdpSocket,
)


class Endpoint(QObject):
    """One connection at a time. QDtls owns no socket: the program hands it each datagram."""

    def __init__(self, mode, configuration):
        super().__init__()
        self.mode, self.configuration = mode, configuration
        self.socket, self.dtls = QUdpSocket(self), None
        self.socket.readyRead.connect(self.read)

    def connect_to(self, address, port, name):
        self.dtls = QDtls(self.mode, self)
        self.dtls.setDtlsConfiguration(self.configuration)
        self.dtls.setPeer(address, port, name)
        self.dtls.handshakeTimeout.connect(lambda: self.dtls.handleTimeout(self.socket))

    def read(self):
        while self.socket.hasPendingDatagrams():
            datagram = self.socket.receiveDatagram()
            self.take(datagram.data(), datagram.senderAddress(), datagram.senderPort())

    def advance(self, data=b""):
        """One step of the handshake."""
        if not self.dtls.doHandshake(self.socket, data):
            sys.exit(f"handshake: {self.dtls.dtlsErrorString()}")
        if self.dtls.isConnectionEncrypted():
            print("encrypted:", self.dtls.sessionCipher().name(), flush=True)
            self.established()

    def established(self):
        pass

    def take(self, data, address, port):
        if not self.dtls.isConnectionEncrypted():
            return self.advance(data)
        text = self.dtls.decryptDatagram(self.socket, data).data()
        if text:
            self.got(text)
        if self.dtls.dtlsError() == QDtlsError.RemoteClosedConnectionError:
            print("closed by the peer", flush=True)
            QCoreApplication.quit()


class Server(Endpoint):
    def __init__(self, port, certificate, key):
        configuration = QSslConfiguration.defaultDtlsConfiguration()
        configuration.setLocalCertificateChain(QSslCertificate.fromPath(certificate))
        with open(key, "rb") as file:
            configuration.setPrivateKey(QSslKey(file.read(), QSsl.Ec))
        configuration.setPeerVerifyMode(QSslSocket.VerifyNone)
        super().__init__(QSslSocket.SslServerMode, configuration)
        self.verifier = QDtlsClientVerifier(self)
        self.socket.bind(QHostAddress.LocalHost, port)
        print("listening", flush=True)

    def take(self, data, address, port):
        if self.dtls:
            return super().take(data, address, port)
        # Until it returns the cookie, a client may have any address.
        if self.verifier.verifyClient(self.socket, data, address, port):
            self.connect_to(address, port, "")
            self.advance(self.verifier.verifiedHello())

    def got(self, text):
        self.dtls.writeDatagramEncrypted(self.socket, text)


class Client(Endpoint):
    def __init__(self, port, authority, text):
        configuration = QSslConfiguration.defaultDtlsConfiguration()
        configuration.setCaCertificates(QSslCertificate.fromPath(authority))
        super().__init__(QSslSocket.SslClientMode, configuration)
        self.text = text
        self.socket.bind(QHostAddress.LocalHost)
        self.connect_to(QHostAddress(QHostAddress.LocalHost), port, "localhost")
        self.advance()

    def established(self):
        self.dtls.writeDatagramEncrypted(self.socket, self.text.encode())

    def got(self, text):
        print("echo:", text.decode(), flush=True)
        self.dtls.shutdown(self.socket)
        QCoreApplication.quit()


if __name__ == "__main__":
    application = QCoreApplication(sys.argv)
    role, port, *rest = sys.argv[1:]
    endpoint = {"server": Server, "client": Client}[role](int(port), *rest)
    sys.exit(application.exec())
