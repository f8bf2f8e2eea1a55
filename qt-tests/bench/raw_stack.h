// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The floor: OpenSSL without anything around it, with one SSL_CTX for each side.
#pragma once

#include "raw_bio.h"
#include "settings.h"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace bench {

template <auto Free> struct Deleter {
    template <typename T> void operator()(T *object) const { Free(object); }
};
using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL_SESSION, Deleter<SSL_SESSION_free>>;

class RawStack {
public:
    using Datagram = std::string;

    class Connection {
    public:
        Connection(SSL_CTX *context, uint16_t port);

        void receive(const Datagram &datagram);
        bool isComplete() const { return complete; }
        void write(const std::string &plain);
        size_t read(const Datagram &datagram);
        std::string cipher() const;

        SSL *handle() const { return ssl.get(); }

    protected:
        friend class RawStack;

        void advance();

        Lent lent; // before the BIO that uses it
        std::unique_ptr<SSL, Deleter<SSL_free>> ssl;
        uint16_t port; // the client's, for the cookie
        bool complete = false;
    };

    class Client : public Connection {
    public:
        Client(RawStack &stack, uint16_t port);
        ~Client();
        void start() { advance(); }

    private:
        RawStack &stack;
    };

    using Server = Connection;

    using Thread = std::thread;

    explicit RawStack(const Settings &settings);
    // Another one with the same contexts.
    RawStack(const RawStack &other);

    // Answers a client's hello; true when it has shown the right cookie.
    bool verify(const Datagram &hello, uint16_t port);
    // Goes on with the hello that verify() has just found right.
    std::unique_ptr<Server> accept(const Datagram &hello, uint16_t port);

private:
    Context serverContext;
    Context clientContext;
    // Answers hellos, until one is right: then it becomes the connection.
    std::unique_ptr<Server> listening;
    bool resumption;
    Session session;
};

} // namespace bench
