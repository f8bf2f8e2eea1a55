// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QByteArray>
#include <QString>

struct Peer;
class EchoClient;
class Journal;

/// Connects to `server`, whose certificate must be valid for `name`, and waits for the echo.
void exchangeText(Journal &journal, EchoClient &client, const Peer &server, const QString &name,
                  const QByteArray &text);
