// SPDX-License-Identifier: MIT OR Apache-2.0
#include "demo.h"

#include "credentials.h"
#include "echoclient.h"
#include "echoserver.h"
#include "exchange.h"
#include "failure.h"
#include "opensslpeer.h"
#include "plugininfo.h"

#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QTextStream>

using namespace Qt::StringLiterals;

static const QString certificateName = u"localhost"_s;

static void expect(bool condition, const QString &otherwise)
{
    if (!condition)
        throw Failure(otherwise);
}

int Demo::run(bool requireQdtlsRs)
{
    m_journal.setDeadline(std::chrono::seconds(30));
    try {
        showBackend(requireQdtlsRs);

        const QTemporaryDir directory;
        expect(directory.isValid(), directory.errorString());
        const CertificateFiles files = createCertificate(directory.path());
        EchoServer server(serverWithCertificate(files));
        m_journal.follow(server);

        certificateExchange(server, files.certificate);
        preSharedKeyExchange();
        opensslExchange(server, files.certificate);
    } catch (const Failure &failure) {
        QTextStream(stderr) << "\ndemo: FAILED in step \"" << m_journal.currentStep()
                            << "\": " << failure.what() << Qt::endl;
        return 1;
    }
    QTextStream(stdout) << "\ndemo: all steps passed" << Qt::endl;
    return 0;
}

void Demo::showBackend(bool requireQdtlsRs)
{
    m_journal.beginStep(u"1. The TLS backend in use"_s);
    expect(QSslSocket::supportsSsl(), u"this Qt has no working TLS backend"_s);

    m_journal.note(u"Qt"_s, QString::fromLatin1(qVersion()));
    m_journal.note(u"library"_s, QSslSocket::sslLibraryVersionString());
    const QString plugin = tlsPluginInUse();
    expect(!plugin.isEmpty(), u"QDtls calls no libqopensslbackend"_s);
    m_journal.note(u"plugin"_s, plugin);

    const QString marker = qdtlsRsMarker(plugin);
    m_journal.note(u"backend"_s, marker.isEmpty() ? u"stock Qt backend"_s : marker);
    expect(!requireQdtlsRs || !marker.isEmpty(),
           u"qdtls-rs was required, but this plugin is Qt's own"_s);
}

CertificateFiles Demo::createCertificate(const QString &directory)
{
    m_journal.beginStep(u"2. A certificate for this run"_s);
    const CertificateFiles files = createSelfSignedCertificate(directory);
    m_journal.note(u"openssl"_s, u"EC key and self-signed certificate for localhost created"_s);
    return files;
}

void Demo::certificateExchange(EchoServer &server, const QString &trustedCertificateFile)
{
    m_journal.beginStep(u"3. Certificate: Qt client and Qt server"_s);
    EchoClient client(clientTrusting(trustedCertificateFile));
    m_journal.follow(client);

    server.listen({ QHostAddress::LocalHost, 0 });
    exchangeText(m_journal, client, server.endpoint(), certificateName, "hello over a certificate");
    awaitCookieExchange(server, client);
    awaitSameSession(server, client);
    m_journal.await(client, Event::PeerCertificateVerified);
    m_journal.await(server, Event::TextEchoed);

    client.close();
    m_journal.await(server, Event::CloseNotifyReceived);
}

void Demo::preSharedKeyExchange()
{
    m_journal.beginStep(u"4. Pre-shared key: Qt client and Qt server"_s);
    QByteArray key(16, Qt::Uninitialized);
    QRandomGenerator::system()->generate(key.begin(), key.end());
    const Credentials credentials = withPreSharedKey(key);
    EchoServer server(credentials);
    EchoClient client(credentials);
    m_journal.follow(server);
    m_journal.follow(client);

    server.listen({ QHostAddress::LocalHost, 0 });
    exchangeText(m_journal, client, server.endpoint(), {}, "hello over a pre-shared key");
    awaitCookieExchange(server, client);
    m_journal.await(client, Event::PreSharedKeyRequired);
    m_journal.await(server, Event::PreSharedKeyRequired);
    awaitSameSession(server, client, u"PSK-AES128-GCM-SHA256"_s);
    m_journal.await(server, Event::TextEchoed);

    // Here the server closes first, to show the other direction.
    server.closeSessions();
    m_journal.await(client, Event::CloseNotifyReceived);
}

void Demo::opensslExchange(EchoServer &server, const QString &trustedCertificateFile)
{
    m_journal.beginStep(u"5. Certificate: openssl s_client and the server of step 3"_s);
    OpensslPeer openssl;
    m_journal.follow(openssl);

    openssl.connectTo(server.endpoint(), certificateName, trustedCertificateFile);
    m_journal.await(server, Event::HelloVerifyRequestSent);
    m_journal.await(server, Event::CookieVerified);
    awaitSameSession(server, openssl);

    openssl.sendLine("hello from openssl");
    m_journal.await(server, Event::TextEchoed);
    m_journal.await(openssl, Event::EchoReceived);

    openssl.close();
    m_journal.await(server, Event::CloseNotifyReceived);
    m_journal.await(openssl, Event::Exited);
}

void Demo::awaitCookieExchange(const EchoServer &server, const EchoClient &client)
{
    m_journal.await(server, Event::HelloVerifyRequestSent);
    const QString given = m_journal.await(client, Event::HelloVerifyRequestReceived);
    const QString returned = m_journal.await(server, Event::CookieVerified);
    expect(given == returned, u"the server gave: %1, but verified: %2"_s.arg(given, returned));
}

void Demo::awaitSameSession(const Actor &server, const Actor &client, const QString &cipher)
{
    const QString serverSide = m_journal.await(server, Event::HandshakeComplete);
    const QString clientSide = m_journal.await(client, Event::HandshakeComplete);
    expect(serverSide == clientSide,
           u"server says %1, %2 says %3"_s.arg(serverSide, client.objectName(), clientSide));
    expect(serverSide.startsWith("DTLS 1.2, "_L1) && serverSide.endsWith(cipher),
           u"negotiated %1 instead of DTLS 1.2, %2"_s.arg(serverSide, cipher));
}
