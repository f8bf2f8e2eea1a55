// SPDX-License-Identifier: MIT OR Apache-2.0
#include "exchange.h"

#include "echoclient.h"
#include "journal.h"

void exchangeText(Journal &journal, EchoClient &client, const Peer &server, const QString &name,
                  const QByteArray &text)
{
    client.connectTo(server, name);
    journal.await(client, Event::HandshakeComplete);
    client.send(text);
    journal.await(client, Event::EchoReceived);
}
