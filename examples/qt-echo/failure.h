// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QString>

#include <stdexcept>

/// Why the program cannot go on, in words for its user.
class Failure : public std::runtime_error {
public:
    explicit Failure(const QString &why)
        : std::runtime_error(why.toStdString())
    {
    }
};
