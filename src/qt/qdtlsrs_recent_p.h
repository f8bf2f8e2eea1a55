// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_RECENT_P_H
#define QDTLSRS_RECENT_P_H

#include <QtCore/qlist.h>
#include <QtCore/qmutex.h>

#include <algorithm>
#include <optional>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

// A few values that take longer to make than to find. Any thread.
template <typename Value> class Recent {
public:
    // The one that is like it, or what `make` returns, which is remembered unless it is nothing.
    template <typename IsLike, typename Make>
    std::optional<Value> find(const IsLike &isLike, const Make &make)
    {
        {
            const QMutexLocker lock(&mutex);
            const auto found = std::find_if(values.begin(), values.end(), isLike);
            if (found != values.end()) {
                std::rotate(values.begin(), found, found + 1);
                return values.constFirst();
            }
        }
        // Made unlocked, for it takes long. Two threads may make the same one, which is then listed
        // twice.
        const std::optional<Value> made = make();
        if (made) {
            const QMutexLocker lock(&mutex);
            values.prepend(*made);
            if (values.size() > most)
                values.removeLast();
        }
        return made;
    }

private:
    // Enough for two chains, and for a client's usual servers.
    static constexpr qsizetype most = 8;

    QMutex mutex;
    QList<Value> values; // the most recently used first
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_RECENT_P_H
