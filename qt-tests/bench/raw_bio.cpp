// SPDX-License-Identifier: MIT OR Apache-2.0
#include "raw_bio.h"

#include "settings.h"
#include "wire.h"

#include <algorithm>
#include <cstring>

namespace bench {

namespace {

constexpr long headersOfIpAndUdp = 28;

Lent &lentTo(BIO *bio)
{
    return *static_cast<Lent *>(BIO_get_data(bio));
}

int readDatagram(BIO *bio, char *buffer, int capacity)
{
    BIO_clear_retry_flags(bio);
    Lent &lent = lentTo(bio);
    if (!lent.datagram) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const int size = std::min(capacity, int(lent.datagram->size()));
    std::memcpy(buffer, lent.datagram->data(), size_t(size));
    if (!lent.peek)
        lent.datagram = nullptr;
    return size;
}

int writeDatagram(BIO *bio, const char *data, int size)
{
    BIO_clear_retry_flags(bio);
    wire().send(data, size_t(size));
    return size;
}

long control(BIO *bio, int command, long number, void *)
{
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return headersOfIpAndUdp;
    case BIO_CTRL_DGRAM_SET_PEEK_MODE:
        lentTo(bio).peek = number != 0;
        return 1;
    default:
        return 0;
    }
}

BIO_METHOD *makeMethod()
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bench datagram");
    BIO_meth_set_read(method, readDatagram);
    BIO_meth_set_write(method, writeDatagram);
    BIO_meth_set_ctrl(method, control);
    return method;
}

} // namespace

BIO *newDatagramBio(Lent *lent)
{
    static BIO_METHOD *const method = makeMethod();
    BIO *bio = BIO_new(method);
    BIO_set_data(bio, lent);
    BIO_set_init(bio, 1);
    return bio;
}

} // namespace bench
