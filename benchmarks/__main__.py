"""`python -m benchmarks`: every measurement, one after the other."""

from benchmarks import beside_evaluation, convergence, diabetes, latency

if __name__ == "__main__":
    for benchmark in (diabetes.main, latency.main, beside_evaluation.main, convergence.main):
        benchmark()
