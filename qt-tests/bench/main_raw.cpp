// SPDX-License-Identifier: MIT OR Apache-2.0
//
// raw_bench GROUP FOLDER EFFORT [turns]: measures OpenSSL alone.
#include "benchmarks.h"

int main(int argc, char **argv)
{
    return bench::run<bench::RawStack>({ argv + 1, argv + argc });
}
