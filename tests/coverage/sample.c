/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel that is a program of the host as well, so that gcov can tell which of its lines are
 * executed, and how often: tests/coverage.t. Exit status 0. */

static int numbers[10];

static int is_even(int number)
{
	if (number % 2 == 0)
		return 1;
	return 0;
}

static int never(int number)
{
	number *= 3;
	return number + 1;
}

static int choose(int number)
{
	switch (number) {
	case 0:
		return 5;
	case 1:
	case 2:
		return 7;
	case 12:
		return never(number);
	default:
		return number > 5 ? 11 : 13;
	}
}

static int collatz(int number)
{
	int steps = 0;

	while (number != 1) {
		if (is_even(number))
			number /= 2;
		else
			number = 3 * number + 1;
		steps++;
	}
	return steps;
}

static int recurse(int depth)
{
	if (depth == 0)
		return 0;
	return 1 + recurse(depth - 1);
}

int main(void)
{
	int sum = 0;

	for (int i = 0; i < 10; i++)
		numbers[i] = choose(i);
	for (int i = 0; i < 10; i++) {
		if (numbers[i] == 100)
			sum += never(i);
		if (numbers[i] == 13)
			continue;
		sum += numbers[i];
	}
	sum += collatz(27);
	sum += recurse(4);
	if (sum == 0)
		return never(sum);
	do {
		sum -= 7;
	} while (sum > 0);
	return 0;
}
