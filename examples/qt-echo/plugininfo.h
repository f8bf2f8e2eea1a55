// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QString>

/// The file of the OpenSSL TLS plugin that QDtls actually calls.
QString tlsPluginInUse();

/// The marker "qdtls-rs <version>" in the plugin; empty for Qt's own.
QString qdtlsRsMarker(const QString &pluginFile);
