"""`python -m benchmarks`: every measurement, one after the other."""

from benchmarks import convergence, diabetes, latency

if __name__ == "__main__":
    for benchmark in (diabetes.main, latency.main, convergence.main):
        benchmark()
