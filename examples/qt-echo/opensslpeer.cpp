// SPDX-License-Identifier: MIT OR Apache-2.0
#include "opensslpeer.h"

#include "peer.h"

#include <QRegularExpression>

using namespace Qt::StringLiterals;

OpensslPeer::OpensslPeer()
    : Actor(u"openssl"_s)
{
    connect(&m_process, &QProcess::readyReadStandardOutput, this, &OpensslPeer::readOutput);
    connect(&m_process, &QProcess::finished, this, &OpensslPeer::reportExit);
    connect(&m_process, &QProcess::errorOccurred, this,
            [this] { emit failed(u"s_client: "_s + m_process.errorString()); });
}

OpensslPeer::~OpensslPeer()
{
    // ~QProcess kills a running process; its signals have no receiver any more.
    m_process.disconnect(this);
}

void OpensslPeer::connectTo(const Peer &server, const QString &name,
                            const QString &trustedCertificateFile)
{
    m_process.start(u"openssl"_s,
                    { u"s_client"_s, u"-dtls1_2"_s, u"-connect"_s, server.text(), u"-CAfile"_s,
                      trustedCertificateFile, u"-verify_hostname"_s, name,
                      u"-verify_return_error"_s });
}

void OpensslPeer::sendLine(const QByteArray &text)
{
    m_sent = text + '\n';
    m_process.write(m_sent);
    emit happened(Event::TextSent, QString::fromUtf8(text));
}

void OpensslPeer::close()
{
    m_process.closeWriteChannel();
}

void OpensslPeer::readOutput()
{
    m_output += m_process.readAllStandardOutput();
    if (!m_handshakeComplete)
        reportHandshake();
    else
        reportEcho();
}

void OpensslPeer::reportHandshake()
{
    // The block that s_client prints about its session.
    static const QRegularExpression session(
        uR"(Protocol +: DTLSv(\S+)\s+Cipher +: (\S+).*Verify return code: 0 \(ok\))"_s,
        QRegularExpression::DotMatchesEverythingOption);
    const auto match = session.match(QString::fromUtf8(m_output));
    if (!match.hasMatch())
        return;
    m_handshakeComplete = true;
    m_output.clear();
    emit happened(Event::HandshakeComplete,
                  u"DTLS %1, %2"_s.arg(match.captured(1), match.captured(2)));
}

void OpensslPeer::reportEcho()
{
    if (m_sent.isEmpty() || !m_output.contains(m_sent))
        return;
    m_output.clear();
    emit happened(Event::EchoReceived, QString::fromUtf8(m_sent).trimmed());
}

void OpensslPeer::reportExit(int exitCode, QProcess::ExitStatus status)
{
    if (status == QProcess::NormalExit && exitCode == 0)
        emit happened(Event::Exited, u"exit code 0"_s);
    else
        emit failed(u"s_client ended with code %1: %2"_s.arg(exitCode).arg(
            QString::fromUtf8(m_process.readAllStandardError()).trimmed()));
}
