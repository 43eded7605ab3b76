"""`python -m benchmarks`: every measurement, one after the other."""

from benchmarks import diabetes, latency

if __name__ == "__main__":
    for benchmark in (diabetes, latency):
        benchmark.main()
