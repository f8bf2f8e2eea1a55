// SPDX-License-Identifier: MIT OR Apache-2.0
#include "options.h"

#include "failure.h"

using namespace Qt::StringLiterals;

static const QString usage = uR"(Shows DTLS through Qt's public API.

  qt-echo [--require-qdtls-rs]                                    the demo
  qt-echo server --port N (--cert FILE --key FILE | --psk HEX)    an echo server
  qt-echo client --port N (--cert FILE | --psk HEX)               a client for it)"_s;

Options::Options(const QCoreApplication &application)
    : m_requireQdtlsRs(u"require-qdtls-rs"_s, u"Demo: fail if the plugin is Qt's own."_s)
    , m_host(u"host"_s, u"Address of the server."_s, u"address"_s, u"127.0.0.1"_s)
    , m_port(u"port"_s, u"Port of the server."_s, u"number"_s)
    , m_certificate(u"cert"_s, u"The server's certificate, which the client trusts."_s, u"file"_s)
    , m_privateKey(u"key"_s, u"Server: the key of its certificate."_s, u"file"_s)
    , m_preSharedKey(u"psk"_s, u"A pre-shared key, instead of a certificate."_s, u"hex"_s)
    , m_name(u"name"_s, u"Client: the name to verify."_s, u"name"_s, u"localhost"_s)
    , m_text(u"text"_s, u"Client: what to send."_s, u"text"_s, u"hello"_s)
{
    m_parser.setApplicationDescription(usage);
    m_parser.addHelpOption();
    m_parser.addOptions({ m_requireQdtlsRs, m_host, m_port, m_certificate, m_privateKey,
                          m_preSharedKey, m_name, m_text });
    m_parser.addPositionalArgument(u"mode"_s, u"server or client; the demo without it."_s,
                                   u"[mode]"_s);
    m_parser.process(application);
}

Peer Options::endpoint() const
{
    const QHostAddress address(m_parser.value(m_host));
    const quint16 port = m_parser.value(m_port).toUShort();
    if (address.isNull())
        throw Failure(u"--host must be an IP address"_s);
    if (port == 0)
        throw Failure(u"--port must be a number from 1 to 65535"_s);
    return { address, port };
}

Credentials Options::serverCredentials() const
{
    if (m_parser.isSet(m_preSharedKey))
        return withPreSharedKey(preSharedKey());
    if (!m_parser.isSet(m_certificate) || !m_parser.isSet(m_privateKey))
        throw Failure(u"a server needs --cert and --key, or --psk"_s);
    return serverWithCertificate({ m_parser.value(m_certificate), m_parser.value(m_privateKey) });
}

Credentials Options::clientCredentials() const
{
    if (m_parser.isSet(m_preSharedKey))
        return withPreSharedKey(preSharedKey());
    if (!m_parser.isSet(m_certificate))
        throw Failure(u"a client needs --cert or --psk"_s);
    return clientTrusting(m_parser.value(m_certificate));
}

QByteArray Options::preSharedKey() const
{
    const QByteArray hex = m_parser.value(m_preSharedKey).toLatin1().toLower();
    const QByteArray key = QByteArray::fromHex(hex);
    // fromHex() skips invalid digits, which would silently yield another key.
    if (key.isEmpty() || key.toHex() != hex)
        throw Failure(u"--psk must be an even number of hex digits"_s);
    return key;
}
