// SPDX-License-Identifier: MIT OR Apache-2.0
#include "datagrams.h"

#include "servers.h"

#include <netinet/udp.h>

#include <cstring>

namespace bench {

namespace {

constexpr std::size_t mostCut = 64, longestWhole = 65507; // in one message
constexpr std::size_t mostWaiting = 1 << 17;

bool isSame(const sockaddr_in &one, const sockaddr_in &other)
{
    return one.sin_port == other.sin_port && one.sin_addr.s_addr == other.sin_addr.s_addr;
}

} // namespace

Datagrams::Datagrams(int ofServer)
    : socket(ofServer)
    , slots(batchSize)
{
    for (std::size_t i = 0; i < batchSize; ++i) {
        inputs[i] = { slots[i].data(), slots[i].size() };
        incoming[i].msg_hdr.msg_iov = &inputs[i];
        outgoing[i].msg_hdr.msg_iov = &outputs[i];
        incoming[i].msg_hdr.msg_iovlen = outgoing[i].msg_hdr.msg_iovlen = 1;
        incoming[i].msg_hdr.msg_name = &names[i];
    }
    runs.reserve(batchSize);
    waiting.reserve(mostWaiting);
}

std::size_t Datagrams::receive()
{
    for (mmsghdr &message : incoming)
        message.msg_hdr.msg_namelen = sizeof(sockaddr_in);
    const int count = recvmmsg(socket, incoming.data(), batchSize, MSG_DONTWAIT, nullptr);
    return count < 0 ? 0 : std::size_t(count);
}

void Datagrams::send(const sockaddr_in &to, const void *bytes, std::size_t length)
{
    Run *last = runs.empty() ? nullptr : &runs.back();
    const bool joins = last && last->open && isSame(last->to, to) && length <= last->each
        && last->count < mostCut && last->length + length <= longestWhole;
    if (!joins && (runs.size() == batchSize || waiting.size() + length > mostWaiting))
        flush();
    if (joins) {
        last->length += length;
        last->open = length == last->each;
        ++last->count;
    } else {
        runs.push_back({ to, waiting.size(), length, length, 1, true });
    }
    const auto *first = static_cast<const std::uint8_t *>(bytes);
    waiting.insert(waiting.end(), first, first + length);
}

void Datagrams::flush()
{
    for (std::size_t i = 0; i < runs.size(); ++i) {
        Run &run = runs[i];
        outputs[i] = { waiting.data() + run.start, run.length };
        msghdr &header = outgoing[i].msg_hdr;
        header.msg_name = &run.to;
        header.msg_namelen = sizeof run.to;
        header.msg_control = nullptr;
        header.msg_controllen = 0;
        if (run.count > 1)
            setSize(header, controls[i], std::uint16_t(run.each));
    }
    for (std::size_t sent = 0; sent < runs.size();) {
        const int count = sendmmsg(socket, &outgoing[sent], unsigned(runs.size() - sent), 0);
        require(count > 0, "sendmmsg");
        sent += std::size_t(count);
    }
    runs.clear();
    waiting.clear();
}

void Datagrams::setSize(msghdr &header, Control &control, std::uint16_t each)
{
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    cmsghdr *message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_UDP;
    message->cmsg_type = UDP_SEGMENT;
    message->cmsg_len = CMSG_LEN(sizeof each);
    std::memcpy(CMSG_DATA(message), &each, sizeof each);
}

} // namespace bench
