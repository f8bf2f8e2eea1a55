// SPDX-License-Identifier: MIT OR Apache-2.0
#include "wire.h"

#include "loopback.h"

#include <QtCore/QtEndian>

namespace pair::wire {

namespace {

QByteArray bigEndian(quint64 value, int size)
{
    QByteArray bytes(size, '\0');
    for (int i = size - 1; i >= 0; --i, value >>= 8)
        bytes[i] = char(value & 0xff);
    return bytes;
}

// A vector of TLS's presentation language: length, then contents.
QByteArray vector(const QByteArray &contents, int lengthSize)
{
    return bigEndian(contents.size(), lengthSize) + contents;
}

// Reads from the front of a byte string; past its end everything is empty and `ok` is false.
class Reader {
public:
    explicit Reader(const QByteArray &bytes)
        : rest(bytes)
    {
    }

    QByteArray bytes(qsizetype size)
    {
        ok = ok && size <= rest.size();
        const QByteArray front = ok ? rest.left(size) : QByteArray();
        rest.remove(0, front.size());
        return front;
    }

    quint64 number(int size)
    {
        quint64 value = 0;
        for (const char byte : bytes(size))
            value = value << 8 | quint8(byte);
        return value;
    }

    QByteArray vector(int lengthSize) { return bytes(qsizetype(number(lengthSize))); }
    bool atEnd() const { return rest.isEmpty(); }

    bool ok = true;

private:
    QByteArray rest;
};

} // namespace

QByteArray Record::bytes() const
{
    return bigEndian(type, 1) + bigEndian(version, 2) + bigEndian(epoch, 2) + bigEndian(sequence, 6)
        + vector(payload, 2);
}

QList<Record> records(const QByteArray &datagram)
{
    QList<Record> list;
    Reader reader(datagram);
    while (!reader.atEnd()) {
        Record record;
        record.type = quint8(reader.number(1));
        record.version = quint16(reader.number(2));
        record.epoch = quint16(reader.number(2));
        record.sequence = reader.number(6);
        record.payload = reader.vector(2);
        if (!reader.ok)
            break;
        list << record;
    }
    return list;
}

QList<quint8> handshakeTypes(const QByteArrayList &datagrams)
{
    QList<quint8> types;
    for (const QByteArray &datagram : datagrams) {
        for (const Record &record : records(datagram)) {
            if (record.type != Handshake || record.epoch != 0)
                continue;
            Reader reader(record.payload);
            while (!reader.atEnd() && reader.ok) {
                types << quint8(reader.number(1));
                reader.bytes(handshakeHeaderSize - 4); // up to the fragment's length
                reader.vector(3);
            }
        }
    }
    return types;
}

QByteArray plaintextAlert(quint8 level, quint8 description)
{
    return Record { Alert, dtls12, 0, 20, bigEndian(level, 1) + bigEndian(description, 1) }.bytes();
}

QByteArray handshakeMessage(quint8 type, quint16 messageSequence, const QByteArray &body)
{
    return bigEndian(type, 1) + bigEndian(body.size(), 3) + bigEndian(messageSequence, 2)
        + bigEndian(0, 3) + vector(body, 3);
}

std::optional<ClientHello> ClientHello::parse(const QByteArray &datagram)
{
    const QList<Record> list = records(datagram);
    if (list.isEmpty() || list.first().type != Handshake)
        return {};

    Reader reader(list.first().payload);
    if (reader.number(1) != ClientHelloType)
        return {};
    reader.number(3);

    ClientHello hello;
    hello.messageSequence = quint16(reader.number(2));
    reader.bytes(6);
    hello.version = quint16(reader.number(2));
    hello.random = reader.bytes(32);
    hello.sessionId = reader.vector(1);
    hello.cookie = reader.vector(1);
    hello.cipherSuites = reader.vector(2);
    hello.compressionMethods = reader.vector(1);
    hello.extensions = reader.vector(2);
    return reader.ok ? std::optional(hello) : std::nullopt;
}

ClientHello ClientHello::withCookie(const QByteArray &newCookie) const
{
    ClientHello second = *this;
    second.cookie = newCookie;
    second.messageSequence = 1;
    return second;
}

QByteArray ClientHello::extension(quint16 type) const
{
    Reader reader(extensions);
    while (!reader.atEnd() && reader.ok) {
        const quint64 found = reader.number(2);
        const QByteArray contents = reader.vector(2);
        if (found == type)
            return contents;
    }
    return {};
}

QByteArray ClientHello::message() const
{
    return handshakeMessage(ClientHelloType, messageSequence,
                            bigEndian(version, 2) + random + vector(sessionId, 1)
                                + vector(cookie, 1) + vector(cipherSuites, 2)
                                + vector(compressionMethods, 1) + vector(extensions, 2));
}

QByteArray ClientHello::datagram() const
{
    return Record { Handshake, dtls10, 0, messageSequence, message() }.bytes();
}

QByteArray cookieIn(const QByteArray &datagram)
{
    const QList<Record> list = records(datagram);
    if (list.isEmpty() || list.first().type != Handshake)
        return {};
    Reader reader(list.first().payload);
    if (reader.number(1) != HelloVerifyRequest)
        return {};
    reader.bytes(handshakeHeaderSize - 1 + 2); // the rest of the header, server_version
    return reader.vector(1);
}

ClientHello genuineHello()
{
    Loopback link;
    link.start();
    return ClientHello::parse(takeDatagrams(link.server.socket).value(0)).value_or(ClientHello());
}

} // namespace pair::wire
