// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The list of cases. A theme is a QObject class whose private slots are its cases; a case is named
// after its finding (`S3_abort_in_pskRequired`) and described by a Q_CLASSINFO of the same name.
#pragma once

#include "pair/error_names.h"

#include <QtCore/QMetaObject>
#include <QtCore/QObject>
#include <QtTest/QTest>

#include <functional>
#include <memory>
#include <vector>

// For QCOMPARE's message.
template <> inline char *QTest::toString(const QDtlsError &error)
{
    return qstrdup(pair::nameOf(error));
}

namespace hardening {

using namespace pair;

struct Theme {
    const QMetaObject *meta;
    std::function<std::unique_ptr<QObject>()> create;
};

inline std::vector<Theme> &themes()
{
    static std::vector<Theme> list;
    return list;
}

// A static object of this type enters a class into the list.
template <typename Class> struct Registered {
    Registered()
    {
        themes().push_back({ &Class::staticMetaObject, [] { return std::make_unique<Class>(); } });
    }
};

} // namespace hardening

// A handshake that must succeed; says what each side reported when it does not.
#define VERIFY_HANDSHAKE(link) QVERIFY2((link).handshake(), (link).report())
