"""``make bench``: each benchmark in turn."""

from tests.benchmark import bench_batch, bench_convert, bench_models, bench_predict

if __name__ == "__main__":
    bench_predict.main()
    bench_models.main()
    bench_convert.main()
    bench_batch.main()
