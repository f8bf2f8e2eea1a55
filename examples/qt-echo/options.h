// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "credentials.h"
#include "peer.h"

#include <QCommandLineParser>

/// The command line. The getters throw Failure for invalid values.
class Options {
public:
    /// Prints help or an error and ends the process if the command line requires it.
    explicit Options(const QCoreApplication &application);

    QString mode() const { return m_parser.positionalArguments().join(u' '); }
    bool requireQdtlsRs() const { return m_parser.isSet(m_requireQdtlsRs); }
    QString name() const { return m_parser.value(m_name); }
    QByteArray text() const { return m_parser.value(m_text).toUtf8(); }

    Peer endpoint() const;
    Credentials serverCredentials() const;
    Credentials clientCredentials() const;

private:
    QByteArray preSharedKey() const;

    const QCommandLineOption m_requireQdtlsRs, m_host, m_port;
    const QCommandLineOption m_certificate, m_privateKey, m_preSharedKey;
    const QCommandLineOption m_name, m_text;
    QCommandLineParser m_parser;
};
