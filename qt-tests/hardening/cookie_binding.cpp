// SPDX-License-Identifier: MIT OR Apache-2.0
//
// S15, S28, I2, I4: the binding of a cookie, and its lifetime.
#include "cases.h"
#include "settings.h"
#include "pair/cookie_exchange.h"
#include "pair/loopback.h"

#include <QtCore/QElapsedTimer>
#include <QtTest/QTest>

namespace hardening {

class CookieBinding : public QObject {
    Q_OBJECT
    Q_CLASSINFO("S15_cookie_bound_to_port", "a cookie is refused from another port of its peer")
    Q_CLASSINFO("S15_cookie_bound_to_address", "a cookie is refused from another address")
    Q_CLASSINFO("S15_cookie_bound_to_random", "a cookie is refused in a hello of another random")
    Q_CLASSINFO("I2_cookie_not_bound_to_session_id",
                "a cookie is accepted when the second hello has another session id")
    Q_CLASSINFO("S15_cookie_bound_to_version", "a cookie is refused in a hello of another version")
    Q_CLASSINFO("S15_cookie_not_bound_to_extensions",
                "a cookie is accepted when the second hello has other extensions")
    Q_CLASSINFO("S15_altered_cookie", "a cookie altered in any byte, cut or extended is refused")
    Q_CLASSINFO("S15_cookie_expires", "a cookie is refused after its lifetime")
    Q_CLASSINFO("S15_cookie_lives_its_lifetime", "a cookie is accepted for its whole lifetime")
    Q_CLASSINFO("I4_answers_to_one_client_are_bounded",
                "a client that answers each request with another hello gets one answer")
    Q_CLASSINFO("S28_mapped_peer", "an IPv4 peer and its IPv4-mapped IPv6 form are the same peer")

private slots:
    void S15_cookie_bound_to_port();
    void S15_cookie_bound_to_address();
    void S15_cookie_bound_to_random();
    void I2_cookie_not_bound_to_session_id();
    void S15_cookie_bound_to_version();
    void S15_cookie_not_bound_to_extensions();
    void S15_altered_cookie();
    void S15_cookie_expires();
    void S15_cookie_lives_its_lifetime();
    void I4_answers_to_one_client_are_bounded();
    void S28_mapped_peer();
};

namespace {

const Registered<CookieBinding> registration;

// A hello with its cookie that the verifier accepts, and which `alter` makes unacceptable.
template <typename Alter> void refusesAltered(Alter alter)
{
    CookieExchange exchange;
    wire::ClientHello hello = exchange.answered(wire::genuineHello());
    QVERIFY(exchange.accepts(hello));
    alter(hello);
    QVERIFY(!exchange.accepts(hello));
}

} // namespace

void CookieBinding::S15_cookie_bound_to_port()
{
    CookieExchange exchange;
    QUdpSocket other;
    QVERIFY(other.bind(QHostAddress::LocalHost));
    const wire::ClientHello hello = exchange.answered(wire::genuineHello());
    QVERIFY(exchange.accepts(hello));
    QVERIFY(!exchange.acceptsFrom(other.localAddress(), other.localPort(), hello));
}

void CookieBinding::S15_cookie_bound_to_address()
{
    CookieExchange exchange;
    const wire::ClientHello hello = exchange.answered(wire::genuineHello());
    QVERIFY(exchange.accepts(hello));
    QVERIFY(!exchange.acceptsFrom(QHostAddress("127.0.0.2"), exchange.client.localPort(), hello));
}

void CookieBinding::S15_cookie_bound_to_random()
{
    refusesAltered([](wire::ClientHello &hello) { hello.random[31] = char(~hello.random[31]); });
}

void CookieBinding::I2_cookie_not_bound_to_session_id()
{
    CookieExchange exchange;
    wire::ClientHello hello = wire::genuineHello();
    hello.sessionId = QByteArray(32, 'a');
    wire::ClientHello second = exchange.answered(hello);
    second.sessionId = QByteArray(32, 'b');
    QVERIFY(exchange.accepts(second));
}

void CookieBinding::I4_answers_to_one_client_are_bounded()
{
    CookieExchange exchange;
    wire::ClientHello hello = wire::genuineHello();
    int answers = 0;
    for (quint16 sequence = 0; sequence < 20; ++sequence) {
        hello.messageSequence = sequence;
        hello.cookie = sequence == 0 ? QByteArray() : QByteArray(32, 'x');
        answers += !exchange.cookieFor(hello).isEmpty();
    }
    QVERIFY2(answers >= 1 && answers <= 2, QByteArray::number(answers));
}

void CookieBinding::S15_cookie_bound_to_version()
{
    refusesAltered([](wire::ClientHello &hello) { hello.version = wire::dtls10; });
}

void CookieBinding::S15_cookie_not_bound_to_extensions()
{
    CookieExchange exchange;
    wire::ClientHello hello = exchange.answered(wire::genuineHello());
    hello.extensions += QByteArray::fromHex("ff01000100");
    QVERIFY(exchange.accepts(hello));
    hello.extensions.clear();
    QVERIFY(exchange.accepts(hello));
}

void CookieBinding::S15_altered_cookie()
{
    CookieExchange exchange;
    const wire::ClientHello hello = exchange.answered(wire::genuineHello());
    QVERIFY(exchange.accepts(hello));

    for (qsizetype i = 0; i < hello.cookie.size(); ++i) {
        QByteArray altered = hello.cookie;
        altered[i] = char(altered[i] ^ 1);
        QVERIFY2(!exchange.accepts(hello.withCookie(altered)), QByteArray::number(i));
    }
    QVERIFY(!exchange.accepts(hello.withCookie(hello.cookie.chopped(1))));
    QVERIFY(!exchange.accepts(hello.withCookie(hello.cookie + '\0')));
    QVERIFY(!exchange.accepts(hello.withCookie({})));
}

void CookieBinding::S15_cookie_expires()
{
    setBackend("QDTLS_COOKIE_LIFETIME_S", 1);
    CookieExchange exchange;
    const wire::ClientHello hello = exchange.answered(wire::genuineHello());
    QVERIFY(exchange.accepts(hello));
    QTRY_VERIFY_WITH_TIMEOUT(!exchange.accepts(hello), 5000);
}

void CookieBinding::S15_cookie_lives_its_lifetime()
{
    setBackend("QDTLS_COOKIE_LIFETIME_S", 1);
    CookieExchange exchange;
    const wire::ClientHello hello = exchange.answered(wire::genuineHello());
    QElapsedTimer clock;
    clock.start();
    // A cookie that is judged too late, because the machine was busy, says nothing.
    for (qint64 age = 0; age < 900; age = clock.elapsed()) {
        const bool accepted = exchange.accepts(hello);
        QVERIFY2(accepted || clock.elapsed() >= 990, QByteArray::number(age) + " ms old");
        QTest::qWait(10);
    }
}

// A dual-stack socket reports the mapped form, an IPv4 socket the other.
void CookieBinding::S28_mapped_peer()
{
    CookieExchange exchange;
    const quint16 port = exchange.client.localPort();
    const QHostAddress mapped(QStringLiteral("::ffff:127.0.0.1"));
    exchange.server.close();
    QVERIFY(exchange.server.bind(QHostAddress::Any));

    const wire::ClientHello first = wire::genuineHello();
    QVERIFY(!exchange.acceptsFrom(mapped, port, first));
    const QByteArray cookie = wire::cookieIn(takeDatagrams(exchange.client).value(0));
    QVERIFY(!cookie.isEmpty());
    QVERIFY(exchange.acceptsFrom(mapped, port, first.withCookie(cookie)));
    QVERIFY(exchange.acceptsFrom(QHostAddress::LocalHost, port, first.withCookie(cookie)));
}

} // namespace hardening

#include "cookie_binding.moc"
