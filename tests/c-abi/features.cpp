// SPDX-License-Identifier: MIT OR Apache-2.0
// What a handshake has negotiated, keys for other protocols, server names, alerts.
#include "arguments.h"
#include "cases.h"
#include "pair.h"

#include <openssl/obj_mac.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

using namespace harness;

namespace {

qdtls_parameters parametersOf(const Endpoint &side)
{
    qdtls_parameters parameters {};
    parameters.size = sizeof parameters;
    CHECK_EQUAL(qdtls_connection_parameters(side.handle, &parameters), QDTLS_STATUS_OK);
    return parameters;
}

Bytes exported(const Endpoint &side, const std::string &label, const char *context = nullptr)
{
    Bytes keys(48);
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(context);
    const std::size_t length = context == nullptr ? 0 : std::string(context).size();
    const Bytes name = bytesOf(label);
    CHECK_EQUAL(qdtls_connection_export(side.handle, name.data(), name.size(), bytes, length,
                                        keys.data(), keys.size()),
                QDTLS_STATUS_OK);
    return keys;
}

qdtls_srtp_keys srtpOf(const Endpoint &side)
{
    qdtls_srtp_keys keys {};
    keys.size = sizeof keys;
    CHECK_EQUAL(qdtls_connection_srtp(side.handle, &keys), QDTLS_STATUS_OK);
    return keys;
}

void initAgain(Endpoint &side, const ContextPtr &context)
{
    CHECK_EQUAL(qdtls_connection_reset(side.handle), QDTLS_STATUS_OK);
    side.init(context.get());
}

void offerSrtp(Endpoint &side, const ContextPtr &context, std::vector<std::uint16_t> profiles)
{
    CHECK_EQUAL(qdtls_connection_set_srtp(side.handle, profiles.data(), profiles.size()),
                QDTLS_STATUS_OK);
    initAgain(side, context);
}

struct Alerts {
    std::int32_t sent = 0;
    std::int32_t received = 0;
};

Alerts alertsOf(const Endpoint &side)
{
    Alerts alerts;
    CHECK_EQUAL(qdtls_connection_alerts(side.handle, &alerts.sent, &alerts.received),
                QDTLS_STATUS_OK);
    return alerts;
}

void askForName(Endpoint &client, const ContextPtr &context, const std::string &name)
{
    const Bytes bytes = bytesOf(name);
    CHECK_EQUAL(qdtls_connection_set_server_name(client.handle, bytes.data(), bytes.size()),
                QDTLS_STATUS_OK);
    initAgain(client, context);
}

bool shows(const Endpoint &client, const ContextPtr &context)
{
    X509 *certificate = nullptr;
    CHECK_EQUAL(qdtls_connection_peer_certificate(client.handle, &certificate), QDTLS_STATUS_OK);
    return X509_cmp(certificate, SSL_CTX_get0_certificate(context.get())) == 0;
}

} // namespace

CASE(the_negotiated_parameters_are_those_of_openssl)
{
    Pair pair;
    pair.connect();
    for (Endpoint *side : { &pair.client, &pair.server }) {
        const qdtls_parameters parameters = parametersOf(*side);
        const SSL_CIPHER *cipher = SSL_get_current_cipher(side->ssl);
        CHECK_EQUAL(parameters.cipher, SSL_CIPHER_get_protocol_id(cipher));
        CHECK_EQUAL(parameters.protocol, QDTLS_PROTOCOL_DTLS1_2);
        CHECK_EQUAL(parameters.extended_master_secret, 1);
        CHECK_EQUAL(parameters.resumed, 0);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
        CHECK_EQUAL(parameters.group, static_cast<int>(SSL_get_negotiated_group(side->ssl)));
        CHECK(parameters.group != 0);
#endif
    }
    const qdtls_parameters client = parametersOf(pair.client);
    const qdtls_parameters server = parametersOf(pair.server);
    CHECK_EQUAL(client.peer_signature_key, NID_X9_62_id_ecPublicKey);
    CHECK(client.peer_signature_digest != 0);
    CHECK_EQUAL(client.peer_signature_digest, server.signature_digest);
    CHECK_EQUAL(client.peer_signature_key, server.signature_key);
    CHECK_EQUAL(client.signature_key, 0);
}

CASE(both_ends_export_the_same_keys)
{
    Pair pair;
    pair.connect();
    const Bytes keys = exported(pair.client, "EXPERIMENTAL-harness");
    CHECK(keys == exported(pair.server, "EXPERIMENTAL-harness"));
    CHECK(keys != exported(pair.client, "EXPERIMENTAL-other"));
    // RFC 5705, 4: an empty context is not the same as none.
    const Bytes withContext = exported(pair.client, "EXPERIMENTAL-harness", "");
    CHECK(keys != withContext);
    CHECK(withContext == exported(pair.server, "EXPERIMENTAL-harness", ""));
    CHECK(withContext != exported(pair.server, "EXPERIMENTAL-harness", "context"));
}

CASE(keys_are_not_exported_with_a_label_of_tls)
{
    Pair pair;
    pair.connect();
    const Bytes label = bytesOf("key expansion");
    Bytes keys(16);
    CHECK_EQUAL(qdtls_connection_export(pair.client.handle, label.data(), label.size(), nullptr, 0,
                                        keys.data(), keys.size()),
                QDTLS_STATUS_INVALID_ARGUMENT);
    CHECK(std::string(pair.client.lastError().reason).find("label") != std::string::npos);
    pair.checkMessages();
}

CASE(srtp_keys_are_those_of_the_exporter)
{
    struct Profile {
        std::uint16_t number;
        std::uint8_t key;
        std::uint8_t salt;
    };
    for (const auto &[number, key, salt] : { Profile { 1, 16, 14 }, Profile { 2, 16, 14 },
                                             Profile { 7, 16, 12 }, Profile { 8, 32, 12 } }) {
        Pair pair;
        offerSrtp(pair.client, pair.clientTls, { number });
        offerSrtp(pair.server, pair.serverTls, { 8, 7, 2, 1 });
        pair.connect();
        const qdtls_srtp_keys keys = srtpOf(pair.client);
        CHECK_EQUAL(keys.profile, number);
        CHECK_EQUAL(keys.key_length, key);
        CHECK_EQUAL(keys.salt_length, salt);
        Bytes material(2u * (key + salt));
        CHECK_EQUAL(SSL_export_keying_material(pair.server.ssl, material.data(), material.size(),
                                               "EXTRACTOR-dtls_srtp", 19, nullptr, 0, 0),
                    1);
        Bytes joined(keys.client_key, keys.client_key + key);
        joined.insert(joined.end(), keys.server_key, keys.server_key + key);
        joined.insert(joined.end(), keys.client_salt, keys.client_salt + salt);
        joined.insert(joined.end(), keys.server_salt, keys.server_salt + salt);
        CHECK(joined == material);
        CHECK_EQUAL(srtpOf(pair.server).profile, number);
    }
}

CASE(srtp_is_not_used_without_a_common_profile)
{
    Pair pair;
    offerSrtp(pair.client, pair.clientTls, { 1 });
    offerSrtp(pair.server, pair.serverTls, { 7 });
    pair.connect();
    CHECK_EQUAL(srtpOf(pair.client).profile, 0);
    CHECK_EQUAL(srtpOf(pair.server).key_length, 0);
    pair.checkMessages();
}

CASE(unknown_srtp_profiles_leave_those_set_before)
{
    Pair pair;
    offerSrtp(pair.server, pair.serverTls, { 7 });
    const std::uint16_t profiles[] { 7, 3 };
    CHECK_EQUAL(qdtls_connection_set_srtp(pair.client.handle, profiles, 1), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_set_srtp(pair.client.handle, profiles, 2),
                QDTLS_STATUS_INVALID_ARGUMENT);
    initAgain(pair.client, pair.clientTls);
    pair.connect();
    CHECK_EQUAL(srtpOf(pair.client).profile, 7);
}

CASE(a_server_has_a_certificate_for_each_name)
{
    const ContextPtr other = serverContext(makeIdentity());
    Pair pair;
    CHECK_EQUAL(qdtls_context_select_by_name(pair.serverTls.get()), QDTLS_STATUS_OK);
    pair.server.onServerName = [&](const std::string &name, SSL_CTX **context) {
        if (name == "other.example")
            *context = other.get();
        return name != "unknown.example";
    };
    askForName(pair.client, pair.clientTls, "own.example");
    pair.connect();
    CHECK(shows(pair.client, pair.serverTls));

    initAgain(pair.server, pair.serverTls);
    askForName(pair.client, pair.clientTls, "other.example");
    pair.connect();
    CHECK(shows(pair.client, other));
    pair.checkMessages();
}

CASE(an_unknown_name_is_refused_with_an_alert)
{
    const ContextPtr unprepared(SSL_CTX_new(DTLS_method()));
    for (SSL_CTX *answer : { static_cast<SSL_CTX *>(nullptr), unprepared.get() }) {
        Pair pair;
        CHECK_EQUAL(qdtls_context_select_by_name(pair.serverTls.get()), QDTLS_STATUS_OK);
        pair.server.onServerName = [answer](const std::string &, SSL_CTX **context) {
            *context = answer;
            return answer != nullptr;
        };
        askForName(pair.client, pair.clientTls, "unknown.example");
        CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_HANDSHAKE_FAILED);
        CHECK_EQUAL(pair.client.proceed(pair.server.take()), QDTLS_STATUS_ALERT_RECEIVED);
        CHECK_EQUAL(alertsOf(pair.client).received, 0x200 + SSL_AD_UNRECOGNIZED_NAME);
    }
}

CASE(a_server_may_end_in_the_choice_of_a_name)
{
    Pair pair;
    CHECK_EQUAL(qdtls_context_select_by_name(pair.serverTls.get()), QDTLS_STATUS_OK);
    pair.server.onServerName = [&pair](const std::string &, SSL_CTX **) {
        CHECK_EQUAL(qdtls_connection_reset(pair.server.handle), QDTLS_STATUS_OK);
        return true;
    };
    askForName(pair.client, pair.clientTls, "own.example");
    CHECK_EQUAL(pair.server.start(pair.verifiedHello()), QDTLS_STATUS_ABORTED);
    CHECK(pair.server.outbox.empty());
}

CASE(the_last_alerts_stay_after_the_end)
{
    Pair pair;
    CHECK_EQUAL(alertsOf(pair.client).sent, -1);
    pair.connect();
    CHECK_EQUAL(alertsOf(pair.client).received, -1);
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(alertsOf(pair.client).sent, 0x100 + SSL_AD_CLOSE_NOTIFY);
    pair.server.read(pair.client.take());
    CHECK_EQUAL(pair.server.end, QDTLS_STATUS_CLOSED);
    CHECK_EQUAL(alertsOf(pair.server).received, 0x100 + SSL_AD_CLOSE_NOTIFY);

    initAgain(pair.client, pair.clientTls);
    CHECK_EQUAL(alertsOf(pair.client).sent, -1);
}

namespace {

int programsInfo = 0;

void noteInfo(const SSL *, int, int)
{
    ++programsInfo;
}

} // namespace

CASE(the_programs_own_info_callback_is_called_as_well)
{
    Pair pair;
    SSL_CTX_set_info_callback(pair.clientTls.get(), noteInfo);
    initAgain(pair.client, pair.clientTls);
    programsInfo = 0;
    pair.connect();
    CHECK(programsInfo > 0);
    CHECK_EQUAL(qdtls_connection_shutdown(pair.client.handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(alertsOf(pair.client).sent, 0x100 + SSL_AD_CLOSE_NOTIFY);
}

CASE(keys_are_logged_only_when_that_is_switched_on)
{
    // The working directory may be read-only, and another harness may run at the same time.
    const std::string name = "harness-" + std::to_string(std::random_device()()) + ".keys";
    const std::string file = (std::filesystem::temp_directory_path() / name).string();
    const auto lines = [&file] {
        std::ifstream log(file);
        return std::string(std::istreambuf_iterator<char>(log), {});
    };
#ifdef _WIN32
    CHECK_EQUAL(_putenv_s("SSLKEYLOGFILE", file.c_str()), 0);
#else
    CHECK_EQUAL(setenv("SSLKEYLOGFILE", file.c_str(), 1), 0);
#endif
    Pair quiet;
    quiet.connect();
    CHECK(lines().empty());

    const ScopedSetting logging(QDTLS_SETTING_KEY_LOG, 1);
    Pair pair;
    pair.connect();
    const std::string logged = lines();
    std::remove(file.c_str());
    // "CLIENT_RANDOM", 32 and 48 bytes in hexadecimal digits, of client and server.
    CHECK_EQUAL(logged.size(), 2u * (14 + 64 + 1 + 96 + 1));
    CHECK_EQUAL(logged.substr(0, 14), "CLIENT_RANDOM ");
    CHECK_EQUAL(logged.substr(0, 176), logged.substr(176));
}
