// SPDX-License-Identifier: MIT OR Apache-2.0
//
// dtls_bench GROUP FOLDER EFFORT [turns]: measures QDtls, with whatever plugin Qt loads.
#include "benchmarks.h"
#include "qt_stack.h"
#include "start.h"

#include <QtCore/QCoreApplication>

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() > 1 && arguments[0].rfind("start", 0) == 0) {
        bench::start(arguments[0], { arguments[1] });
        return 0;
    }
    return bench::run<bench::QtStack>(arguments);
}
