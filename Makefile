# make serve · make test · make quick · make check · make docs · make image · make bench · make web · make zoo · make mutants — each makes what it needs, from a bare checkout.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# Workers and started services read compiled modules, also where the environment forbids to write them.
PYTEST = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 .venv-dev/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
# Two more than processors: tests wait for processes, locks and deadlines for almost half of their time.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

.PHONY: serve test quick check docs image bench web zoo mutants constraints clean

serve: .venv/ready
	.venv/bin/python -m service serve --host $(HOST) --port $(PORT)

test: .venv-dev/ready .venv-clients/ready .venv-engines/ready
	$(PYTEST)

# The fast tests of the service and of gdssm, and the contracts: about a minute on two cores.
quick: WORKERS = auto # its tests wait for little
quick: .venv-dev/ready
	$(PYTEST) -m "not slow" tests/service tests/gdssm tests/properties tests/contracts

check: .venv-dev/ready
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy
	.venv-dev/bin/lint-imports
	$(PYTHON) .ci/subjects.py
	$(PYTHON) .ci/words.py
	.venv-dev/bin/zensical build --clean --strict

# The documentation as a site, in site/.
docs: .venv-dev/ready
	.venv-dev/bin/python .ci/settings_page.py
	.venv-dev/bin/zensical build --clean --strict

# The image of the service, as gdssm:0.1.0 among podman's images; no daemon. TAG=… names it differently.
TAG ?= gdssm:0.1.0
image:
	$(PYTHON) deploy/build_image.py --tag $(TAG)

bench: .venv-dev/ready test
	.venv-dev/bin/python -m benchmarks

# How many small mistakes in the modules that decide the tests notice: a sample, half an hour, resumable.
mutants: .venv-dev/ready .venv-mutants/ready
	.venv-mutants/bin/python -m tests.mutation

# The bundles of the playground, in service/web/dist, which git keeps: only a change of service/web/src needs npm.
web:
	cd service/web && npm ci --ignore-scripts --no-audit --no-fund && node build.js

zoo: .venv-dev/ready
	.venv-dev/bin/python -m export

# The service with files as bodies and methods to compare with: no torch.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[sklearn,tables]'
	touch $@

# The service, the science and the tools that check them. torch comes first and pinned, so that nothing else chooses it.
.venv-dev/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-dev
	.venv-dev/bin/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	.venv-dev/bin/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	.venv-dev/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[export,ingest,report,postgres,traces]' --group dev
	touch $@

# Inference clients that others wrote, which the tests let loose on the service; they hold back what the service needs.
.venv-clients/ready: pyproject.toml constraints-clients.txt
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install --quiet --upgrade --constraint constraints-clients.txt pip
	.venv-clients/bin/python -m pip install --quiet --constraint constraints-clients.txt --group clients
	touch $@

# Engines that run the parts of a work on several machines: more than a gigabyte, so a separate environment.
.venv-engines/ready: pyproject.toml constraints-engines.txt
	$(PYTHON) -m venv .venv-engines
	.venv-engines/bin/python -m pip install --quiet --upgrade --constraint constraints-engines.txt pip
	.venv-engines/bin/python -m pip install --quiet --constraint constraints-engines.txt --editable '.[client,ray]' --group engines
	touch $@

# The mutation tester; what it tries runs in .venv-dev.
.venv-mutants/ready: pyproject.toml constraints-mutants.txt
	$(PYTHON) -m venv .venv-mutants
	.venv-mutants/bin/python -m pip install --quiet --upgrade --constraint constraints-mutants.txt pip
	.venv-mutants/bin/python -m pip install --quiet --constraint constraints-mutants.txt --group mutants
	touch $@

# Write the exact versions of the present environment down again (after a deliberate upgrade).
constraints: .venv-dev/ready
	.venv-dev/bin/python -m pip freeze --all --exclude-editable | sed 's/+cpu$$//' > constraints.txt

clean:
	rm -rf .venv .venv-dev .venv-clients .venv-engines .venv-mutants .bench .image
