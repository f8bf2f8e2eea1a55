// SPDX-License-Identifier: MIT OR Apache-2.0
#include "actor.h"

using namespace Qt::StringLiterals;

QString describe(Event event)
{
    switch (event) {
    case Event::Listening:
        return u"listening"_s;
    case Event::HelloVerifyRequestSent:
        return u"HelloVerifyRequest sent"_s;
    case Event::HelloVerifyRequestReceived:
        return u"HelloVerifyRequest received"_s;
    case Event::CookieVerified:
        return u"ClientHello verified"_s;
    case Event::PreSharedKeyRequired:
        return u"pre-shared key required"_s;
    case Event::FlightRetransmitted:
        return u"no answer in time, last flight sent again"_s;
    case Event::HandshakeComplete:
        return u"handshake complete"_s;
    case Event::PeerCertificateVerified:
        return u"server certificate verified"_s;
    case Event::TextSent:
        return u"text sent"_s;
    case Event::TextEchoed:
        return u"text received and echoed"_s;
    case Event::EchoReceived:
        return u"echo received"_s;
    case Event::CloseNotifySent:
        return u"close_notify sent"_s;
    case Event::CloseNotifyReceived:
        return u"close_notify received"_s;
    case Event::Exited:
        return u"process ended"_s;
    }
    return {};
}
