# Ansim: `make run` and `make test` need python3 (3.11 or later), make and git; they install the rest into this folder.
# 안심: `make run`과 `make test`는 python3(3.11 이상), make, git만 있으면 됩니다. 나머지는 이 폴더 안에 설치합니다.

PYTHON ?= python3
IN_VENV = .venv/bin/python
export PYTHONUNBUFFERED = 1
unexport PYTHONDONTWRITEBYTECODE  # a start that compiles everything again takes three times as long

.DEFAULT_GOAL := help
.PHONY: help run test chaos bench lint audit lock reset setup setup-tests

help:  ## 이 도움말 · this help
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

run: setup  ## 데모 데이터와 함께 전체 실행 (PORT, WORLD_PORT, RUN_DIR) · everything, with demo data
	@$(IN_VENV) -m ansim.demo.run

test: setup-tests  ## 모든 시험 (ARGS="-k window") · all tests
	@$(IN_VENV) -m tests.browser.chromium
	@$(IN_VENV) -m tests.deployment.nginx
	@$(IN_VENV) -m pytest -n 3 --dist worksteal $(ARGS)

chaos: setup-tests  ## 죽이며 시험 (ARGS="--seconds 300 --seed 7 --json") · a storm of kill -9 over a system of its own
	@$(IN_VENV) -m tests.chaos $(ARGS)

bench: setup-tests  ## 온전한 확인 하나의 값 (표, JSON, 그림; ARGS="--seconds 30") · what a whole verification costs
	@$(IN_VENV) -m bench.flow $(ARGS)

lint: setup-tests  ## 형식과 형 검사 · ruff and mypy
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m ruff format --check .
	@RUN_DIR=.boot/lint $(IN_VENV) -m ansim.demo.run --only-env
	@RUN_DIR=.boot/lint $(IN_VENV) -m mypy

audit:  ## 꾸러미의 알려진 약점 (인터넷 필요) · known vulnerabilities of packages (needs the internet)
	@$(PYTHON) deploy/audit.py

reset: setup  ## 데모 데이터 지우기 · forget the demo's data
	@$(IN_VENV) -m ansim.demo.run --reset

lock:  ## 의존성 잠그기 (ARGS=--upgrade) · write the lock files
	@$(PYTHON) deploy/lock.py $(ARGS)

setup:
	@$(PYTHON) deploy/setup_venv.py

setup-tests:
	@$(PYTHON) deploy/setup_venv.py --tests
