// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QString>

#include <stdexcept>

/// An error that ends the program, with a text for the user.
class Failure : public std::runtime_error {
public:
    explicit Failure(const QString &why)
        : std::runtime_error(why.toStdString())
    {
    }
};
