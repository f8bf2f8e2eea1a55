// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S3: slots that call QDtls back, or delete it, while OpenSSL is still at work below them.
#include "cases.h"
#include "settings.h"
#include "slots.h"
#include "pair/loopback.h"
#include "pair/wire.h"

#include <QtNetwork/QSslCipher>
#include <QtTest/QSignalSpy>
#include <QtTest/QTest>

namespace hardening {

class Reentrancy : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S3_abort_in_pskRequired", "client aborts its handshake in a slot of pskRequired")
    Q_CLASSINFO("S3_abort_in_pskRequired_of_server",
                "server aborts its handshake in a slot of pskRequired")
    Q_CLASSINFO("S3_delete_in_pskRequired", "QDtls is deleted in a slot of pskRequired")
    Q_CLASSINFO("S3_read_state_in_pskRequired", "every getter is called in a slot of pskRequired")
    Q_CLASSINFO("S3_nested_handshake_in_pskRequired",
                "doHandshake in a slot of pskRequired is refused and the handshake completes")
    Q_CLASSINFO("S3_abort_in_bytesWritten",
                "abortHandshake in a slot of bytesWritten, while a flight is sent")
    Q_CLASSINFO("S3_delete_in_bytesWritten", "QDtls is deleted while a handshake flight is sent")
    Q_CLASSINFO("S3_read_state_in_bytesWritten", "every getter is called in a slot of bytesWritten")
    Q_CLASSINFO("S3_nested_handshake_in_bytesWritten",
                "doHandshake in a slot of bytesWritten is refused and the handshake completes")
    Q_CLASSINFO("S3_shutdown_in_bytesWritten_of_a_write",
                "shutdown while writeDatagramEncrypted sends")
    Q_CLASSINFO("S3_delete_in_bytesWritten_of_a_write",
                "QDtls is deleted while writeDatagramEncrypted sends")
    Q_CLASSINFO("S3_nested_write_in_bytesWritten",
                "writeDatagramEncrypted in a slot of bytesWritten is refused")
    Q_CLASSINFO("S3_nested_decrypt_in_bytesWritten",
                "decryptDatagram in a slot of bytesWritten is refused and loses nothing")
    Q_CLASSINFO("S3_delete_in_bytesWritten_of_shutdown", "QDtls is deleted while shutdown sends")
    Q_CLASSINFO("S3_abort_in_bytesWritten_of_a_retransmission",
                "abortHandshake while handleTimeout sends")
    Q_CLASSINFO("S3_delete_in_bytesWritten_of_a_retransmission",
                "QDtls is deleted while handleTimeout sends")
    Q_CLASSINFO("S3_abort_in_handshakeTimeout", "abortHandshake in a slot of handshakeTimeout")
    Q_CLASSINFO("S3_delete_in_handshakeTimeout", "QDtls is deleted in a slot of handshakeTimeout")
    Q_CLASSINFO("S3_delete_verifier_in_bytesWritten",
                "the verifier is deleted while it sends its reply")

private slots:
    void initTestCase();

    void S3_abort_in_pskRequired();
    void S3_abort_in_pskRequired_of_server();
    void S3_delete_in_pskRequired();
    void S3_read_state_in_pskRequired();
    void S3_nested_handshake_in_pskRequired();

    void S3_abort_in_bytesWritten();
    void S3_delete_in_bytesWritten();
    void S3_read_state_in_bytesWritten();
    void S3_nested_handshake_in_bytesWritten();

    void S3_shutdown_in_bytesWritten_of_a_write();
    void S3_delete_in_bytesWritten_of_a_write();
    void S3_nested_write_in_bytesWritten();
    void S3_nested_decrypt_in_bytesWritten();
    void S3_delete_in_bytesWritten_of_shutdown();

    void S3_abort_in_bytesWritten_of_a_retransmission();
    void S3_delete_in_bytesWritten_of_a_retransmission();
    void S3_abort_in_handshakeTimeout();
    void S3_delete_in_handshakeTimeout();

    void S3_delete_verifier_in_bytesWritten();
};

namespace {

const Registered<Reentrancy> registration;

void readEverything(const QDtls &dtls)
{
    dtls.peerAddress();
    dtls.peerPort();
    dtls.peerVerificationName();
    dtls.sslMode();
    dtls.mtuHint();
    dtls.cookieGeneratorParameters();
    dtls.dtlsConfiguration();
    dtls.handshakeState();
    dtls.isConnectionEncrypted();
    dtls.sessionCipher();
    dtls.sessionProtocol();
    dtls.dtlsError();
    dtls.dtlsErrorString();
    dtls.peerVerificationErrors();
}

struct NestedCall {
    bool made = false;
    bool succeeded = false;
    QDtlsError error = QDtlsError::NoError;
};

bool isBackAtStart(const QDtls &dtls)
{
    return dtls.handshakeState() == QDtls::HandshakeNotStarted && !dtls.isConnectionEncrypted();
}

} // namespace

void Reentrancy::initTestCase()
{
    overwriteFreedMemory();
}

void Reentrancy::S3_abort_in_pskRequired()
{
    Loopback link;
    bool aborted = false;
    onPskRequired(link.client,
                  [&] { aborted = link.client.dtls->abortHandshake(&link.client.socket); });
    QVERIFY(link.start());
    link.exchange();

    QVERIFY(aborted);
    QVERIFY(link.client.failed);
    QVERIFY(isBackAtStart(*link.client.dtls));
}

void Reentrancy::S3_abort_in_pskRequired_of_server()
{
    Loopback link;
    bool aborted = false;
    onPskRequired(link.server,
                  [&] { aborted = link.server.dtls->abortHandshake(&link.server.socket); });
    QVERIFY(link.start());
    link.exchange();

    QVERIFY(aborted);
    QVERIFY(link.server.failed);
    QVERIFY(isBackAtStart(*link.server.dtls));
}

void Reentrancy::S3_delete_in_pskRequired()
{
    Loopback link;
    onPskRequired(link.client, [&] { link.client.dtls.reset(); });
    QVERIFY(link.start());
    link.exchange();

    QVERIFY(!link.client.dtls);
    QVERIFY(link.client.failed);
}

void Reentrancy::S3_read_state_in_pskRequired()
{
    Loopback link;
    bool read = false;
    onPskRequired(link.client, [&] {
        readEverything(*link.client.dtls);
        read = true;
    });
    VERIFY_HANDSHAKE(link);
    QVERIFY(read);
}

void Reentrancy::S3_nested_handshake_in_pskRequired()
{
    Loopback link;
    NestedCall nested;
    onPskRequired(link.client, [&] {
        nested.made = true;
        nested.succeeded = link.client.dtls->doHandshake(&link.client.socket, "nested");
        nested.error = link.client.dtls->dtlsError();
    });
    VERIFY_HANDSHAKE(link);
    QVERIFY(nested.made);
    QVERIFY(!nested.succeeded);
    QCOMPARE(nested.error, QDtlsError::InvalidOperation);
}

void Reentrancy::S3_abort_in_bytesWritten()
{
    Loopback link;
    bool aborted = false;
    onNextSend(link.client,
               [&] { aborted = link.client.dtls->abortHandshake(&link.client.socket); });
    QVERIFY(!link.start());
    QVERIFY(aborted);
    QVERIFY(isBackAtStart(*link.client.dtls));
}

void Reentrancy::S3_delete_in_bytesWritten()
{
    Loopback link;
    onNextSend(link.client, [&] { link.client.dtls.reset(); });
    QVERIFY(!link.start());
    QVERIFY(!link.client.dtls);
}

void Reentrancy::S3_read_state_in_bytesWritten()
{
    Loopback link;
    bool read = false;
    onNextSend(link.client, [&] {
        readEverything(*link.client.dtls);
        read = true;
    });
    VERIFY_HANDSHAKE(link);
    QVERIFY(read);
}

void Reentrancy::S3_nested_handshake_in_bytesWritten()
{
    Loopback link;
    NestedCall nested;
    QVERIFY(link.start());
    onNextSend(link.client, [&] {
        nested.made = true;
        nested.succeeded = link.client.dtls->doHandshake(&link.client.socket, "nested");
        nested.error = link.client.dtls->dtlsError();
    });
    link.exchange();
    QVERIFY(nested.made);
    QVERIFY(!nested.succeeded);
    QCOMPARE(nested.error, QDtlsError::InvalidOperation);
    QVERIFY2(link.client.isComplete() && link.server.isComplete(), link.report());
}

void Reentrancy::S3_shutdown_in_bytesWritten_of_a_write()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    bool shutDown = false;
    onNextSend(link.client, [&] { shutDown = link.client.dtls->shutdown(&link.client.socket); });
    link.client.dtls->writeDatagramEncrypted(&link.client.socket, "last words");
    QVERIFY(shutDown);
    QVERIFY(isBackAtStart(*link.client.dtls));

    link.exchange();
    QCOMPARE(link.server.plain, "last words");
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError);
}

void Reentrancy::S3_delete_in_bytesWritten_of_a_write()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    onNextSend(link.client, [&] { link.client.dtls.reset(); });
    link.client.dtls->writeDatagramEncrypted(&link.client.socket, "last words");
    QVERIFY(!link.client.dtls);

    link.exchange();
    QCOMPARE(link.server.plain, "last words");
}

void Reentrancy::S3_nested_write_in_bytesWritten()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    NestedCall nested;
    onNextSend(link.client, [&] {
        nested.made = true;
        nested.succeeded =
            link.client.dtls->writeDatagramEncrypted(&link.client.socket, "inner") > 0;
        nested.error = link.client.dtls->dtlsError();
    });
    QCOMPARE(link.client.dtls->writeDatagramEncrypted(&link.client.socket, "outer"), 5);
    link.exchange();
    QVERIFY(nested.made);
    QVERIFY(!nested.succeeded);
    QCOMPARE(nested.error, QDtlsError::InvalidOperation);
    QCOMPARE(link.server.plain, "outer");
}

void Reentrancy::S3_nested_decrypt_in_bytesWritten()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    QCOMPARE(link.server.dtls->writeDatagramEncrypted(&link.server.socket, "hello"), 5);
    const QByteArray datagram = takeDatagrams(link.client.socket).value(0);

    NestedCall nested;
    onNextSend(link.client, [&] {
        nested.made = true;
        nested.succeeded =
            !link.client.dtls->decryptDatagram(&link.client.socket, datagram).isEmpty();
        nested.error = link.client.dtls->dtlsError();
    });
    QCOMPARE(link.client.dtls->writeDatagramEncrypted(&link.client.socket, "outer"), 5);
    QVERIFY(nested.made);
    QVERIFY(!nested.succeeded);
    QCOMPARE(nested.error, QDtlsError::InvalidOperation);
    QCOMPARE(link.client.dtls->decryptDatagram(&link.client.socket, datagram), "hello");
}

void Reentrancy::S3_delete_in_bytesWritten_of_shutdown()
{
    Loopback link;
    VERIFY_HANDSHAKE(link);
    onNextSend(link.client, [&] { link.client.dtls.reset(); });
    link.client.dtls->shutdown(&link.client.socket);
    QVERIFY(!link.client.dtls);

    link.exchange();
    QCOMPARE(link.server.dtls->dtlsError(), QDtlsError::RemoteClosedConnectionError);
}

void Reentrancy::S3_abort_in_bytesWritten_of_a_retransmission()
{
    setRetransmission(50, 200);
    Loopback link;
    QVERIFY(link.start());
    QSignalSpy timeout(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QVERIFY(timeout.wait());

    bool aborted = false;
    onNextSend(link.client,
               [&] { aborted = link.client.dtls->abortHandshake(&link.client.socket); });
    QVERIFY(!link.client.dtls->handleTimeout(&link.client.socket));
    QVERIFY(aborted);
    QVERIFY(isBackAtStart(*link.client.dtls));
}

void Reentrancy::S3_delete_in_bytesWritten_of_a_retransmission()
{
    setRetransmission(50, 200);
    Loopback link;
    QVERIFY(link.start());
    QSignalSpy timeout(link.client.dtls.get(), &QDtls::handshakeTimeout);
    QVERIFY(timeout.wait());

    onNextSend(link.client, [&] { link.client.dtls.reset(); });
    QVERIFY(!link.client.dtls->handleTimeout(&link.client.socket));
    QVERIFY(!link.client.dtls);
}

void Reentrancy::S3_abort_in_handshakeTimeout()
{
    setRetransmission(50, 200);
    Loopback link;
    bool aborted = false;
    QObject::connect(link.client.dtls.get(), &QDtls::handshakeTimeout, this,
                     [&] { aborted = link.client.dtls->abortHandshake(&link.client.socket); });
    QVERIFY(link.start());
    QTRY_VERIFY(aborted);
    QVERIFY(isBackAtStart(*link.client.dtls));
}

void Reentrancy::S3_delete_in_handshakeTimeout()
{
    setRetransmission(50, 200);
    Loopback link;
    QObject::connect(link.client.dtls.get(), &QDtls::handshakeTimeout, this,
                     [&] { link.client.dtls.reset(); });
    QVERIFY(link.start());
    QTRY_VERIFY(!link.client.dtls);
}

void Reentrancy::S3_delete_verifier_in_bytesWritten()
{
    Loopback link;
    const QByteArray hello = wire::genuineHello().datagram();
    auto verifier = std::make_unique<QDtlsClientVerifier>();
    onNextSend(link.server, [&] { verifier.reset(); });
    QVERIFY(!link.server.verify(*verifier, hello));
    QVERIFY(!verifier);
}

} // namespace hardening

#include "reentrancy.moc"
