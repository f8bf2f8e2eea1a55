// SPDX-License-Identifier: MIT OR Apache-2.0
//
// dtls_bench GROUP FOLDER EFFORT: measures QDtls, with whatever plugin Qt loads.
#include "benchmarks.h"
#include "qt_stack.h"

#include <QtCore/QCoreApplication>

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    return bench::run<bench::QtStack>({ argv + 1, argv + argc });
}
