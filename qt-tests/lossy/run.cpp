// SPDX-License-Identifier: MIT OR Apache-2.0
#include "run.h"

#include <QtCore/QTextStream>

namespace lossy {

Run::Run(const Settings &all)
    : settings(all)
    , server(settings)
    , hasEnded(std::size_t(settings.links.size()))
    , left(hasEnded.size())
{
    connect(&server, &Server::completed, this, [this](quint16 port) {
        for (std::size_t index = 0; index < clients.size(); ++index) {
            if (clients[index]->ports.back == port)
                check(index);
        }
    });
    starts.setTimerType(Qt::PreciseTimer);
    connect(&starts, &QTimer::timeout, this, &Run::startNext);
}

bool Run::start()
{
    starts.start(settings.spacingMs);
    return server.start();
}

void Run::startNext()
{
    const std::size_t index = clients.size();
    clients.push_back(std::make_unique<Client>(settings, settings.links[qsizetype(index)]));
    Client &client = *clients.back();
    connect(&client, &Client::ended, this, [this, index] { check(index); });
    QTimer::singleShot(settings.limitMs, Qt::PreciseTimer, this, [this, index] {
        end(index, "late " + server.error(clients[index]->ports.back));
    });
    if (clients.size() == hasEnded.size())
        starts.stop();
    client.start();
}

void Run::check(std::size_t index)
{
    const Client &client = *clients[index];
    if (!client.error.isEmpty())
        end(index, "failed " + client.error);
    else if (client.isComplete() && server.isComplete(client.ports.back))
        end(index, QStringLiteral("completed"));
}

// Prints the index, the time in milliseconds and the outcome. Both sides stay, for what is still
// under way.
void Run::end(std::size_t index, const QString &outcome)
{
    if (hasEnded[index])
        return;
    hasEnded[index] = true;
    QTextStream(stdout) << index << '\t' << clients[index]->elapsedMs() << '\t'
                        << outcome.simplified() << '\n';
    if (--left == 0)
        emit finished();
}

} // namespace lossy
