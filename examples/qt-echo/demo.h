// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "journal.h"

struct CertificateFiles;
class EchoClient;
class EchoServer;

/// The steps of the demo. Each returns only after everything it shows has happened.
class Demo {
public:
    /// The program's exit code: 0 only if every step passed.
    int run(bool requireQdtlsRs);

private:
    void showBackend(bool requireQdtlsRs);
    CertificateFiles createCertificate(const QString &directory);
    void certificateExchange(EchoServer &server, const QString &trustedCertificateFile);
    void preSharedKeyExchange();
    void opensslExchange(EchoServer &server, const QString &trustedCertificateFile);

    void awaitCookieExchange(const EchoServer &server, const EchoClient &client);
    void awaitSameSession(const Actor &server, const Actor &client, const QString &cipher = {});

    Journal m_journal;
};
