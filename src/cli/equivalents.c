/*
 * Command lines of other programs and their equivalents: the one source of
 * "sockt help nc" and README's table.
 */
#include "cli/equivalents.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* The width of each of the two columns, as in README. */
#define COLUMN 40
#define INDENT 4

/* Lines of two fields, separated by a tab. */
static const char rows[] =
    "nc host 80\tsockt connect host 80\n"
    "nc -v host 80\tsockt connect -v host 80\n"
    "nc -zv host 22\tsockt connect -zv host 22\n"
    "nc -zv host 20-25\tsockt portscan host 20-25\n"
    "nc -z -w 2 host 22\tsockt connect -z -w 2 host 22\n"
    "nc -w 5 host 80\tsockt connect -w 5 host 80\n"
    "nc -l 8080\tsockt listen '*' 8080\n"
    "nc -l 127.0.0.1 8080\tsockt listen 8080\n"
    "nc -lk 8080\tsockt listen -k '*' 8080\n"
    "nc -l 8080 > file\tsockt listen '*' 8080 > file\n"
    "nc -N host 8080 < file\tsockt connect host 8080 < file\n"
    "nc -q 1 host 80 < request\tsockt connect --linger 1 host 80 < request\n"
    "nc -u host 9999\tsockt udp-send host 9999\n"
    "nc -ul 9999\tsockt udp-serve --print '*' 9999\n"
    "nc -u -w 1 host 53 < <(xxd -r -p query)\t"
    "sockt udp-send --hex --whole -w 1 host 53 < query\n"
    "nc -u host 9999 < <(printf '\\1\\0')\t"
    "sockt udp-send --escapes host 9999 '\\x01\\0'\n"
    "nc -C host 25\tsockt connect -C host 25\n"
    "nc -d host 80\tsockt connect --recv-only host 80\n"
    "nc -U /run/x\tsockt connect unix:/run/x\n"
    "nc -lU /tmp/x\tsockt listen unix:/tmp/x\n"
    "nc -X 5 -x p:1080 host 22\t"
    "sockt connect --proxy socks5://p:1080 host 22\n"
    "nc -s 192.0.2.1 -p 40000 host 80\t"
    "sockt connect -s 192.0.2.1 -p 40000 host 80\n"
    "ncat host 80\tsockt connect host 80\n"
    "ncat -i 30s host 80\tsockt connect --idle-timeout 30 host 80\n"
    "ncat -x dump host 80\tsockt connect -x dump host 80\n"
    "ncat --send-only host 80 < file\t"
    "sockt connect --send-only host 80 < file\n"
    "ncat --recv-only host 80 > file\t"
    "sockt connect --recv-only host 80 > file\n"
    "ncat --proxy p:1080 --proxy-type socks5 host 22\t"
    "sockt connect --proxy socks5://p:1080 host 22\n"
    "ncat --ssl host 443\tsockt connect --tls --tls-insecure host 443\n"
    "ncat --ssl-verify host 443\tsockt connect --tls host 443\n"
    "ncat --ssl-verify --ssl-trustfile ca.pem host 443\t"
    "sockt connect --tls --tls-ca ca.pem host 443\n"
    "ncat -l 8080\tsockt listen '*' 8080\n"
    "ncat -l --allow 10.0.0.0/8 8080\t"
    "sockt listen --allow 10.0.0.0/8 '*' 8080\n"
    "ncat -lk 8080 -e /bin/handler\tsockt listen -k '*' 8080 -- /bin/handler\n"
    "ncat -lk -m 10 8080 -e /bin/handler\t"
    "sockt listen -k --max-conns 10 '*' 8080 -- /bin/handler\n"
    "ncat -lk 8080 -c 'date; uptime'\t"
    "sockt listen -k -e 'date; uptime' '*' 8080\n"
    "ncat -lk -x dump -e /bin/handler 8080\t"
    "sockt listen -k -x dump '*' 8080 -- /bin/handler\n"
    "ncat -u host 9999\tsockt udp-send host 9999\n"
    "ncat -u -x dump host 9999\tsockt udp-send -x dump host 9999\n"
    "socat - TCP:host:80\tsockt connect host 80\n"
    "socat -u - TCP:host:80\tsockt connect --send-only host 80\n"
    "socat -u TCP:host:80 -\tsockt connect --recv-only host 80\n"
    "socat -x - TCP:host:80\tsockt connect -x dump host 80\n"
    "socat -x TCP-LISTEN:80,fork TCP:backend:8080\t"
    "sockt listen -k -x - '*' 80 --to backend:8080\n"
    "socat -v TCP-LISTEN:80,fork TCP:backend:8080\t"
    "sockt listen -k -x - '*' 80 --to backend:8080\n"
    "socat -r in -R out TCP-LISTEN:80 TCP:backend:8080\t"
    "sockt listen -o log.%d '*' 80 --to backend:8080\n"
    "socat -T 30 - TCP:host:80\tsockt connect --idle-timeout 30 host 80\n"
    "socat - UNIX-CONNECT:/run/x\tsockt connect unix:/run/x\n"
    "socat - PROXY:p:host:22,proxyport=3128\t"
    "sockt connect --proxy http://p:3128 host 22\n"
    "socat - OPENSSL:host:443\tsockt connect --tls host 443\n"
    "socat - EXEC:'ssh jump nc host 22'\t"
    "sockt connect --via 'ssh jump nc %h %p' host 22\n"
    "openssl s_client -quiet -connect host:443\t"
    "sockt connect --tls host 443\n"
    "socat TCP-LISTEN:80,fork TCP:backend:8080\t"
    "sockt listen -k '*' 80 --to backend:8080\n"
    "socat TCP-LISTEN:80,fork UNIX-CONNECT:/run/x\t"
    "sockt listen -k '*' 80 --to unix:/run/x\n"
    "socat UNIX-LISTEN:/tmp/x,fork TCP:host:80\t"
    "sockt listen -k unix:/tmp/x --to host:80\n"
    "socat UNIX-LISTEN:/tmp/x,fork,mode=660 TCP:host:80\t"
    "sockt listen -k --mode 660 unix:/tmp/x --to host:80\n"
    "socat -U TCP-LISTEN:80,fork OPEN:page\t"
    "sockt listen -k '*' 80 < page\n"
    "socat TCP-LISTEN:7,fork EXEC:cat\tsockt listen -k '*' 7 --echo\n"
    "socat TCP-LISTEN:8080,fork EXEC:/bin/handler\t"
    "sockt listen -k '*' 8080 -- /bin/handler\n"
    "socat -x - UDP:host:9999\tsockt udp-send -x dump host 9999\n"
    "socat - UDP:host:9999\tsockt udp-send host 9999\n"
    "socat -u UDP-RECV:9999 -\tsockt udp-serve --print --recv-only '*' 9999\n"
    "tcpserver 0 8080 handler\tsockt listen -k '*' 8080 -- handler\n"
    "tcpserver -c 10 0 8080 handler\t"
    "sockt listen -k --max-conns 10 '*' 8080 -- handler\n"
    "tcpserver -u 99 -g 99 0 80 handler\t"
    "sockt listen -k --user nobody '*' 80 -- handler\n"
    "tcpserver 0 8080 recordio handler\t"
    "sockt listen -k -x /dev/stderr '*' 8080 -- handler\n"
    "unixserver /tmp/x handler\tsockt listen -k unix:/tmp/x -- handler\n"
    "systemd-socket-activate -a --inetd -l 8080 handler\t"
    "sockt listen -k '*' 8080 -- handler\n"
    "curl http://host/\tsockt http-get http://host/\n"
    "curl -sS http://host/\tsockt http-get -q http://host/\n"
    "curl -O http://host/file\tsockt http-get -O http://host/file\n"
    "curl -C - -O http://host/file\tsockt http-get -cO http://host/file\n"
    "curl -fLo page http://host/\tsockt http-get -Lo page http://host/\n"
    "curl -o page http://host/\tsockt http-get -o page http://host/\n"
    "curl -I http://host/\tsockt http-get -I http://host/\n"
    "curl -i http://host/\tsockt http-get -i http://host/\n"
    "curl -r 0-99 http://host/file\tsockt http-get -r 0-99 http://host/file\n"
    "curl -u user:pass http://host/\t"
    "sockt http-get -u user:pass http://host/\n"
    "curl -H 'A: b' http://host/\tsockt http-get -H 'A: b' http://host/\n"
    "curl -A agent http://host/\t"
    "sockt http-get -H 'User-Agent: agent' http://host/\n"
    "curl -x http://p:3128 http://host/\t"
    "sockt http-get --proxy http://p:3128 http://host/\n"
    "curl https://host/\tsockt http-get https://host/\n"
    "curl --cacert ca.pem https://host/\t"
    "sockt http-get --tls-ca ca.pem https://host/\n"
    "curl -k https://host/\tsockt http-get --tls-insecure https://host/\n"
    "curl --retry 9 --retry-all-errors http://host/\t"
    "sockt http-get --retry-for 30 http://host/\n"
    "curl --retry 3 http://host/\tsockt http-get --retry 3 http://host/\n"
    "curl --connect-timeout 5 http://host/\t"
    "sockt http-get --connect-timeout 5 http://host/\n"
    "curl -w '%{time_total}' http://host/\t"
    "sockt http-get --timing http://host/\n"
    "wget http://host/file\tsockt http-get -LO http://host/file\n"
    "wget -c http://host/file\tsockt http-get -cLO http://host/file\n"
    "curl --unix-socket /run/docker.sock http://h/info\t"
    "sockt http-get --unix /run/docker.sock http://h/info\n"
    "wget -q http://host/file\tsockt http-get -qLO http://host/file\n"
    "wget -O name http://host/file\tsockt http-get -Lo name http://host/file\n"
    "wget -qO- http://host/\tsockt http-get -qL http://host/\n"
    "wget -S --spider http://host/\tsockt http-get -LI http://host/\n"
    "nmap -sT host\tsockt portscan host\n"
    "nmap -p 22,80 host\tsockt portscan host 22,80\n"
    "nmap -p- host\tsockt portscan host -\n"
    "nmap -sU -p 53 host\tsockt portscan --udp host 53\n"
    "nmap -p 22 --open 192.0.2.0/24\tsockt portscan 192.0.2.0/24 22\n"
    "nmap -p 22 --script banner host\tsockt portscan --banner host 22\n"
    "nmap -p 22 -iL hosts\tsockt portscan --targets hosts 22\n"
    "nmap -oG - host\tsockt portscan -q host\n"
    "nmap -sL 192.0.2.0/24\tsockt portscan --dry-run 192.0.2.0/24\n"
    "wait-for-it host:5432 -t 30\tsockt connect -z --retry-for 30 host 5432\n"
    "wait-for-it host:5432 -t 30 -- ./start\t"
    "sockt connect -z --retry-for 30 host 5432 -- ./start\n"
    "dockerize -wait tcp://db:5432 -wait tcp://cache:6379 ./start\t"
    "sockt connect -z --retry-for 10 db:5432 cache:6379 -- ./start\n"
    "wait4x tcp db:5432 cache:6379 -t 30s -- ./start\t"
    "sockt connect -z --retry-for 30 db:5432 cache:6379 -- ./start\n"
    "tcping host 80\tsockt connect -z --interval 1 --stats host 80\n"
    "tcping -c 5 host 80\t"
    "sockt connect -z --count 5 --interval 1 --stats host 80\n"
    "expect -c 'spawn nc host 25; expect 220'\t"
    "sockt connect --expect '^220 ' host 25\n"
    "telnet host 25\tsockt connect -C host 25\n"
    "strace -e network nc host 80\tsockt connect -vv host 80\n";

/* Returns how many bytes of text, n bytes, fit into width as whole words. */
static size_t
fit(const char *text, size_t n, size_t width)
{
	size_t length = n;

	if (n <= width)
		return n;
	for (length = width; length > 0 && text[length] != ' ';)
		length--;
	return length > 0 ? length : n;
}

/* Prints a row in two columns, each wrapped at words. */
static void
print_row(FILE *out, const char *row)
{
	const char *cells[] = {row, strchr(row, '\t') + 1};
	size_t left[] = {strcspn(row, "\t"), strcspn(cells[1], "\n")};
	size_t i, n, indent, at;

	for (indent = 0; left[0] + left[1] > 0; indent = INDENT) {
		for (i = at = 0; i < 2; i++) {
			n = fit(cells[i], left[i], COLUMN - 1 + i - indent);
			if (n == 0)
				continue;
			fprintf(out, "%*s%.*s", (int)(i * COLUMN + indent - at),
			    "", (int)n, cells[i]);
			at = i * COLUMN + indent + n;
			/* The blank between the words is dropped. */
			n += n < left[i];
			cells[i] += n;
			left[i] -= n;
		}
		fputc('\n', out);
	}
}

/* Steps to the next row, or from NULL to the first. NULL after the last. */
static const char *
next_row(const char *row)
{
	row = row == NULL ? rows : row + strcspn(row, "\n") + 1;
	return *row != '\0' ? row : NULL;
}

/* Whether the row is about a program. */
static bool
is_about(const char *row, const char *program)
{
	size_t n = strcspn(row, " ");

	/* nc.openbsd, nc.traditional */
	if (strcmp(program, "netcat") == 0 || strncmp(program, "nc.", 3) == 0)
		program = "nc";
	return strlen(program) == n && strncmp(row, program, n) == 0;
}

bool
equivalents_print(FILE *out, const char *program)
{
	const char *row = NULL;
	bool is_found = false;

	while ((row = next_row(row)) != NULL) {
		if (!is_about(row, program))
			continue;
		if (!is_found)
			fprintf(out, "%-*s%s\n\n", COLUMN,
			    "What you type today", "With sockt");
		print_row(out, row);
		is_found = true;
	}
	return is_found;
}

void
equivalents_programs(FILE *out)
{
	const char *row = NULL, *last = "";
	size_t n;

	while ((row = next_row(row)) != NULL) {
		n = strcspn(row, " ") + 1;
		if (strncmp(row, last, n) != 0)
			fprintf(out, "%.*s\t\n", (int)n - 1, row);
		last = row;
	}
}

/* The letters of the options in the words of a line, as bits. */
static uint64_t
letters_of(const char *line, size_t n)
{
	const char *end = line + n;
	uint64_t letters = 0;

	for (; line < end; line++) {
		if (line[0] != ' ' || line[1] != '-' || line[2] == '-')
			continue;
		for (line += 2; line < end && isalpha((unsigned char)*line);
		     line++)
			letters |= UINT64_C(1) << (*line & 63);
		line--;
	}
	return letters;
}

/* The length of the common beginning of two lines. */
static size_t
common_length(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	/* A dash is no option yet. */
	while (n > 0 && a[n - 1] == '-')
		n--;
	return n;
}

static int
count_bits(uint64_t bits)
{
	int n = 0;

	for (; bits != 0; bits &= bits - 1)
		n++;
	return n;
}

const char *
equivalents_nearest(char *const *argv)
{
	static char text[192];
	const char *row = NULL, *best = NULL, *program = argv[0], *rest;
	char line[128] = "";
	uint64_t typed, has;
	int score, highest = INT_MIN;
	size_t n;

	for (argv++; *argv != NULL; argv++)
		text_append(line, sizeof(line), " %s", *argv);
	typed = letters_of(line, strlen(line));
	while ((row = next_row(row)) != NULL) {
		if (!is_about(row, program))
			continue;
		rest = row + strcspn(row, " ");
		has = letters_of(rest, strcspn(rest, "\t"));
		/* What was not typed misleads; then the same beginning. */
		score = 100 * count_bits(has & typed) -
			80 * count_bits(has & ~typed) +
			(int)common_length(line, rest);
		if (score > highest) {
			best = row;
			highest = score;
		}
	}
	if (best == NULL)
		return NULL;
	n = strcspn(best, "\t");
	snprintf(text, sizeof(text),
	    "%.*s is %.*s here ('sockt help %.*s' shows more)", (int)n, best,
	    (int)strcspn(best + n + 1, "\n"), best + n + 1,
	    (int)strcspn(best, " "), best);
	return text;
}
