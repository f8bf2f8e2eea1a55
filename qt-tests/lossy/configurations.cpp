// SPDX-License-Identifier: MIT OR Apache-2.0
#include "configurations.h"

#include "pair/identity.h"

namespace lossy {

bool configure(Settings &settings, const QString &folder, const QString &name)
{
    const QString base = folder + u'/' + name;
    const auto algorithm = name == QLatin1String("ecdsa") ? QSsl::Ec : QSsl::Rsa;
    const auto identity = pair::Identity::fromFiles(base + ".crt", base + ".key", algorithm);
    const auto chain = QSslCertificate::fromPath(base + ".crt");
    const auto roots = QSslCertificate::fromPath(base + "-root.crt");
    if (identity.certificate.isNull() || identity.key.isNull() || roots.isEmpty())
        return false;
    settings.server = pair::serverConfiguration(identity);
    settings.server.setLocalCertificateChain(chain);
    settings.server.setDtlsCookieVerificationEnabled(true);
    settings.client = pair::clientConfiguration({ roots.first(), {} });
    return true;
}

} // namespace lossy
