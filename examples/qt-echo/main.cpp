// SPDX-License-Identifier: MIT OR Apache-2.0
#include "demo.h"
#include "echoclient.h"
#include "echoserver.h"
#include "exchange.h"
#include "failure.h"
#include "options.h"

#include <QCoreApplication>
#include <QTextStream>

#include <unistd.h>

using namespace Qt::StringLiterals;

static int runDemo(const Options &options)
{
    // The demo's own deadline needs the event loop; this one also ends a library call that hangs.
    alarm(60);
    return Demo().run(options.requireQdtlsRs());
}

static int runServer(const Options &options)
{
    Journal journal;
    EchoServer server(options.serverCredentials());
    journal.follow(server);
    server.listen(options.endpoint());
    return QCoreApplication::exec();
}

static int runClient(const Options &options)
{
    Journal journal;
    journal.setDeadline(std::chrono::seconds(30));
    EchoClient client(options.clientCredentials());
    journal.follow(client);
    exchangeText(journal, client, options.endpoint(), options.name(), options.text());
    client.close();
    return 0;
}

int main(int argc, char *argv[])
{
    QCoreApplication application(argc, argv);
    const Options options(application);
    const QString mode = options.mode();
    try {
        if (mode.isEmpty())
            return runDemo(options);
        if (mode == "server"_L1)
            return runServer(options);
        if (mode == "client"_L1)
            return runClient(options);
        throw Failure(u"unknown mode: "_s + mode);
    } catch (const Failure &failure) {
        QTextStream(stderr) << "qt-echo: " << failure.what() << Qt::endl;
        return 1;
    }
}
