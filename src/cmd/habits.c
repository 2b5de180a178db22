/*
 * What users of other programs type, and what sockt has instead: hints for
 * rejected command lines, and whole lines with their equivalents, the one
 * source of "sockt help nc" and of README's table.
 */
#include "cmd/habits.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cmd/table.h"

#define SOCKS_URL \
	"the proxy is --proxy socks5://USER:PASSWORD@HOST:1080 or http://HOST"
#define CLIENT_CERT \
	"the certificate of the client is --tls-cert, with --tls-key"
#define TRUST "certificates to trust are --tls-ca FILE"
#define TLS_VERSIONS \
	"TLS 1.2 or 1.3 alone is --tls-version; ciphers are the library's"
#define PIN "one certificate alone is accepted with --tls-pin SHA256"
#define KEYLOG "the keys of TLS are written to $SSLKEYLOGFILE"
#define FILES "the files of a folder are served with listen --files DIR"
#define UDP_COMMANDS \
	"datagrams are sent with udp-send and received with udp-serve"

/* The first row that matches is used. */
static const struct habit {
	const char *commands; /* "sockt": in place of one; "*": any of these */
	const char *typed;    /* the first words, for fnmatch(3); several ways
				 with "|" between them */
	const char *hint;
} habits[] = {
    {"sockt", "-l*", "a server is a command: sockt listen 8080"},
    {"sockt", "-z*", "a port is tested with sockt connect -z localhost 22"},
    {"sockt", "-u*|UDP*:*", UDP_COMMANDS},
    {"sockt", "http*://*", "URLs are fetched with sockt http-get URL"},
    {"sockt", "unix:*", "the command comes first: sockt connect unix:PATH"},
    {"sockt help", "http*serve*|*httpd*|web*|python*|miniserve*", FILES},
    {"sockt", "*://*|TCP*:*|localhost*|*:[0-9]*|*.*",
	"the command comes first: sockt connect localhost 80"},
    {"sockt", "[0-9]*", "the command comes first: sockt listen 8080"},
    {"sockt", "version", "the version is printed by sockt --version"},
    {"sockt", "--help=*", "sockt help lists the commands"},
    {"sockt", "server", "servers are listen, serve-hello and udp-serve"},
    {"sockt", "client", "clients are connect, udp-send and http-get"},
    {"sockt help", "*ssl|tls|s_client",
	"TLS is connect --tls, or listen --tls-cert FILE"},
    {"sockt help", "udp", UDP_COMMANDS},
    {"sockt help", "proxy|tunnel|forward",
	"connections are forwarded by listen --to HOST:PORT"},
    {"sockt", "download|fetch|get", "files are fetched with http-get"},
    {"sockt", "send",
	"connect sends over a connection, udp-send sends datagrams"},
    {"sockt", "rec*v*", "listen receives over TCP, udp-serve over UDP"},
    {"sockt", "tcp*", "TCP is connect and listen"},
    {"sockt", "chat", "one side is listen, the other is connect"},
    {"sockt", "echo*",
	"listen --echo sends back, and so does udp-serve --echo"},
    {"sockt", "masscan*|rustscan*|zmap*|hping*",
	"open ports are found by portscan"},
    {"sockt", "wait", "connect -z --retry-for waits for ports"},
    {"sockt", "ping",
	"ICMP is not supported; connect -z --stats measures round trips"},

    /* The words of openssl s_client, before nc's letters. */
    {"connect", "-CA*|-R*|--ssl-trust*", TRUST},
    {"connect", "-cert*|-key *|-K*|--ssl-[ck]e*", CLIENT_CERT},
    {"connect", "-servername*|--ssl-servername*",
	"the name in the certificate is --tls-name"},
    {"connect", "-starttls*", "STARTTLS is --starttls"},
    {"connect", "-alpn*|--ssl-alpn*", "protocols to offer are --tls-alpn"},
    {"connect", "-crlf*", "sending LF as CRLF is -C (--crlf)"},
    {"connect", "-quiet*|-ign_eof*",
	"stdout has the data alone; fewer messages are -q"},
    {"connect", "-keylog*|--keylog*", KEYLOG},
    {"connect", "-checkend*",
	"a certificate that ends in N days: --tls-days N"},
    {"connect", "-fingerprint*", "-v shows the certificate's SHA-256"},
    {"connect", "-show*|-brief*|-msg*|-debug*|-status*",
	"what TLS has agreed on is shown by -v"},
    {"connect", "-tls1*|-no_*|-cipher*|--ssl-cipher*", TLS_VERSIONS},
    {"connect", "-proxy*", SOCKS_URL},

    /* nc and ncat, and what sockt had itself. */
    {"*", "--nodns*|--no-dns*", "looking nothing up is --numeric (-n)"},
    {"*", "--dns-*|--doh*", "names are looked up by the system's resolver"},
    {"connect", "-b*", "broadcasts are sent by udp-send --broadcast"},
    {"connect listen", "-I*", "the receive buffer is --rcvbuf"},
    {"connect listen", "-O*", "the send buffer is --sndbuf"},
    {"connect listen", "-M*", "the time to live is --ttl"},
    {"connect listen", "--sctp*|--vsock*|--udplite*",
	"only TCP, UDP and Unix sockets are supported"},
    {"connect", "--telnet*", "there is no telnet negotiation"},
    {"*", "-vvv*",
	"-vv shows the calls of sockt; strace(1) shows those of any program"},
    {"*", "-V*|--version", "the version is printed by sockt --version"},
    {"*", "-help", "the help of a command is printed by --help"},
    {"*", "--*nodelay*", "TCP_NODELAY is always set"},
    {"connect", "-l*|--listen*",
	"connect does not accept connections; listen does"},
    {"udp-send", "-l*|--listen*", "datagrams are received by udp-serve"},
    {"listen", "-l*|--listen*",
	"a server listens anyway; the port is an operand: sockt listen 8080, "
	"or '*' 8080 for the network"},
    {"listen", "--port*|-p*",
	"the port is an operand: sockt listen 8080, or '*' 8080 for the "
	"network"},
    {"serve-hello udp-serve", "-l*|--listen*|--port*|-p*",
	"a server listens anyway; the port is an operand"},
    {"listen serve-hello udp-serve", "--bind*|--host*|--addr*|--source*|-s*",
	"the local address is an operand before the port"},
    {"listen", "--fork*", "going on after the first client is -k"},
    {"listen serve-hello", "--reuse*", "SO_REUSEADDR is always set"},
    {"serve-hello", "-d*|--dir*|[./]*", FILES},
    {"connect udp-send", "-p*",
	"the port is an operand (-p is --source-port here)"},
    {"connect udp-send", "--port*", "the port is an operand after the host"},
    {"connect udp-send", "--host*", "the host is an operand before the port"},
    {"connect", "-u*|--udp*|UDP*:*", "datagrams are sent with udp-send"},
    {"listen serve-hello", "-u*|--udp*|UDP*:*",
	"datagrams are received by udp-serve"},
    {"udp-send udp-serve", "-u*", "this command is always UDP"},
    {"udp-send", "-c*", "the number of datagrams is --count"},
    {"connect listen udp-send udp-serve", "-U*|--unix*",
	"a Unix socket is an operand: unix:PATH"},
    {"connect", "-k*",
	"going on after the first client is listen -k; curl's -k is "
	"--tls-insecure"},
    {"serve-hello udp-serve", "-k*",
	"going on after the first client is the default"},
    {"connect listen", "-N*", "sending FIN when stdin ends is the default"},
    {"connect listen", "-q[0-9]*|-q [0-9]",
	"nc's -q is --linger (-q is --quiet here)"},
    {"udp-send", "-q[0-9]*|-q [0-9]",
	"nc's -q is --timeout (-q is --quiet here)"},
    {"connect", "-connect*", "TLS is --tls; HOST:PORT is an operand"},
    {"connect listen", "-c*|--lua-exec*",
	"a program on the connection is -e COMMAND or goes after '--'"},
    {"udp-serve", "-[ce]*", "a program for each datagram goes after '--'"},
    {"connect listen", "--sh-exec*", "a command line is -e (--exec)"},
    {"connect listen", "-i*",
	"an idle limit is --idle-timeout; there is no pause between lines"},
    {"udp-send", "-i*", "a pause between datagrams is --interval"},
    {"connect", "-t*",
	"waiting for a port is --retry-for; there is no telnet negotiation"},
    {"connect listen", "-T*",
	"the type of service is --tos; socat's -T is --idle-timeout"},
    {"connect listen", "-d*",
	"not reading stdin is --recv-only; more messages are -v and -vv"},
    {"udp-send", "-b*", "broadcasting is --broadcast"},
    {"udp-send", "-z*", "a UDP port is probed with portscan --udp"},
    {"connect listen", "--proxy-protocol*|--send-proxy*",
	"the PROXY protocol is not supported"},
    {"connect", "-X*|--proxy-*|SOCKS*:*", SOCKS_URL},
    {"connect http-get", "--socks*|--preproxy*", SOCKS_URL},
    {"connect listen", "--wait*",
	"a limit for connecting and idling is --timeout (-w)"},
    {"connect listen", "--no-shutdown*",
	"not sending FIN when stdin ends is --on-eof keep"},
    {"connect listen", "--on-peer-eof drain",
	"finish sends until stdin ends, quit exits at once"},
    {"connect listen", "--append-output*", "appending is -o FILE --append"},
    {"connect listen udp-send udp-serve", "--hex-dump*",
	"the option is --hexdump (-x)"},
    {"listen", "--broker*|--chat*",
	"clients cannot be connected with each other"},
    {"listen serve-hello udp-serve", "--allowfile*",
	"a file of clients is --allow @FILE"},
    {"listen serve-hello udp-serve", "--owner*",
	"chown(1) gives the path of a Unix socket to another user"},
    {"connect", "--ucspi*",
	"a program gets the connection as its stdin and stdout: -e 'PROGRAM "
	"6<&0 7>&1'"},
    {"serve-hello", "--quit-word*", "a conversation ends with exit"},
    {"udp-serve", "--any-port*",
	"ports where servers answer anything are never answered"},
    {"http-get serve-hello", "--t[ot][sl]*",
	"connect and listen set the class of service and the time to live"},
    {"http-get serve-hello", "--???buf*",
	"connect and listen set the sizes of buffers"},
    {"help", "--events*", "the JSON events are listed in sockt-json(7)"},
    {"help", "--list*", "the options of a command are listed by its --help"},

    /* TLS of ncat, curl and openssl. */
    {"connect", "--ssl-verify*", "--tls verifies the certificate"},
    {"connect", "--ssl*", "TLS is --tls"},
    {"connect http-get", "--pinned*|--fingerprint*", PIN},
    {"connect", "--tlsv*|--tls-m*", TLS_VERSIONS},
    {"listen", "--ssl|--ssl -*|--self-signed*",
	"TLS with a certificate for this run is --tls-self"},
    {"listen", "--ssl*|*SSL*:*", "TLS is --tls-cert FILE --tls-key FILE"},
    {"connect", "--insecure*|*SSL*:*verify=0*",
	"TLS without verification is --tls --tls-insecure"},

    /* Operands of socat, and others. */
    {"connect", "http://*", "URLs are fetched with http-get"},
    {"connect", "https://*", "connect takes HOST PORT; TLS is --tls"},
    {"connect", "*://*", "connect takes HOST PORT"},
    {"connect", "TCP*-L*:*", "socat's listener is listen"},
    {"connect", "TCP*:*|tcp*:*", "connect takes HOST PORT"},
    {"connect listen", "UNIX*:*user=*",
	"a Unix socket is unix:PATH; chown(1) gives it to another user"},
    {"connect listen", "UNIX*:*mode=*",
	"a Unix socket is unix:PATH, its permissions are --mode"},
    {"connect listen", "UNIX*:*|/*", "a Unix socket is unix:PATH"},
    {"connect", "*SSL*:*",
	"TLS is --tls, certificates to trust are --tls-ca FILE"},
    {"connect listen udp-send udp-serve", "ABSTRACT*:*",
	"an abstract Unix socket is unix:@NAME"},
    {"connect listen", "FILE:*|OPEN:*|GOPEN:*|CREATE:*|PTY*",
	"a file is stdin or stdout: < FILE, > FILE"},
    {"connect", "EXEC:*|SYSTEM:*",
	"a program that connects is --via COMMAND, one on the connection goes "
	"after '--'"},
    {"connect", "PROXY*:*", "the proxy is one URL: --proxy http://HOST:3128"},
    {"connect", "*:[0-9]* *:[0-9]*", "several endpoints are tested with -z"},
    {"connect", "[0-9]*[-,][0-9]*", "several ports are tested with portscan"},
    {"listen", "TCP*-L*:*",
	"the port is an operand; socat's fork is -k, its second address --to"},
    {"udp-serve", "UDP*-[LR]*:*",
	"the port is an operand; socat's second address is --to"},
    {"udp-serve", "UDP*:*|[0-9]* *:[0-9]*",
	"datagrams are forwarded with --to HOST:PORT"},
    {"listen serve-hello udp-serve", "[0-9]* *.*.*|[0-9]* localhost",
	"the address comes before the port"},
    {"listen", "TCP*:*|[0-9]* *:[0-9]*",
	"connections are forwarded with --to HOST:PORT"},
    {"listen", "[0-9]* [0-9]*",
	"one port is served; with --to, HOST:PORT is one word"},
    {"listen udp-serve", "EXEC*:*|[0-9]* [a-z./]*",
	"a program goes after '--'"},
    {"connect", "[!-]* [0-9]* [a-z./]*",
	"a program goes after '--'; several endpoints are tested with -z"},
    {"connect", "[!-]* [0-9]* [0-9]*",
	"several ports of a host are tested with portscan"},
    {"udp-send", "*://*|UDP*:*", "udp-send takes HOST PORT and then messages"},

    /* curl and wget. */
    {"http-get", "-n[dpH]*|--page-r*|--convert-*|--accept*|--mirror|--recurs*",
	"recursive downloads are not supported"},
    {"http-get", "-K*|--config*", "there is no configuration file"},
    {"http-get", "-[yY]*|--speed-*|--read-timeout*",
	"a limit without data is --idle-timeout"},
    {"http-get", "-Z*|--parallel*",
	"URLs are fetched one after the other; xargs(1) -P runs several"},
    {"http-get", "--trace*|--debug*", "-vv shows the calls of sockt"},
    {"http-get", "--digest*|--ntlm*|--negotiate*",
	"only Basic authentication (-u) is supported"},
    {"http-get", "--oauth2*|--bearer*",
	"a token is a header: -H 'Authorization: Bearer TOKEN'"},
    {"http-get", "--basic*|--auth*|--http-[up]*",
	"credentials are -u USER:PASSWORD"},
    {"http-get", "--netrc*", "credentials that ps does not show are -u @FILE"},
    {"http-get", "--max-filesize*|--quota*",
	"the size has no limit; --range (-r) fetches a part"},
    {"http-get", "--url*", "a URL is an operand"},
    {"http-get", "--get|-G*",
	"GET is the default; the query is part of the URL"},
    {"http-get", "--local-port*", "the local port is --source-port (-p)"},
    {"http-get", "--inet[46]*|--prefer-*", "IPv4 only is -4, IPv6 only -6"},
    {"http-get", "--server-resp*|--save-head*|--headers*|-D*|--dump-header*",
	"the header goes to stderr, or with -i before the body"},
    {"http-get", "--content-on-error*",
	"the body of an error is kept with --fail-with-body"},
    {"http-get", "--start-pos*", "bytes from N on are --range N- (-r)"},
    {"http-get", "--background*", "& runs sockt in the background"},
    {"http-get", "--create-dirs*", "mkdir(1) -p makes folders"},
    {"http-get", "--output-document*", "writing to a file is -o FILE"},
    {"http-get", "--download*", "a file named as in the URL is -O"},
    {"http-get", "--follow*", "following redirects is -L"},
    {"http-get", "--body|--print*|--pretty*|--style*",
	"the body alone goes to stdout, as it is"},
    {"http-get", "--ignore-stdin*", "stdin is not read"},
    {"http-get", "--check-status*|--fail*",
	"a status of 400 and up is an error anyway (exit status 8)"},
    {"http-get", "-[fsS][fsS]*",
	"curl's fsSL is -q -L, its sS is -q; a status of 400 and up always "
	"fails"},
    {"http-get", "-s*", "curl's -s is -q (-s is --source here)"},
    {"http-get", "-S*", "errors are printed even with -q; wget's -S is -i"},
    {"http-get", "-f*",
	"a status of 400 and up always fails; overwriting is --force"},
    {"http-get", "-X*|--request*|--method*",
	"only GET and HEAD (-I) are supported"},
    {"http-get", "-[dF]*|--data*|--form*|--post*|--upload*|--body-*",
	"only GET and HEAD are supported: no request has a body"},
    {"http-get", "-T*", "files are not sent; wget's -T is --timeout"},
    {"http-get", "-k*|--insecure*|--no-check*|--verify*",
	"a certificate that is not verified is --tls-insecure"},
    {"http-get", "-[AU]*|--user-agent*",
	"User-Agent is a header: -H 'User-Agent: x'"},
    {"http-get", "-e*|--referer*", "Referer is a header: -H 'Referer: URL'"},
    {"http-get", "-b*",
	"Cookie is a header: -H 'Cookie: a=b'; & runs sockt in the background"},
    {"http-get", "-C*", "resuming is -c"},
    {"http-get", "-x*", "the proxy is --proxy URL"},
    {"http-get", "-w *%*|-w%*",
	"--timing and --json report times and the status (-w is --timeout "
	"here)"},
    {"http-get", "-[zN]*|--time*|--etag*",
	"fetching only if newer is --if-modified-since FILE"},
    {"http-get", "-nc|--no-clobber*",
	"-O does not overwrite a file that exists"},
    {"http-get", "-nv", "wget's -nv is -q (-n is --numeric here)"},
    {"http-get", "-J*|--remote-header*|--content-disposition*",
	"the file is named by the URL with -O, or as you like with -o"},
    {"http-get", "-#*|--progress-*|--no-progress*",
	"a progress bar is -P; -q shows nothing"},
    {"http-get", "-E*|--cert*|--key*|--private-key*", CLIENT_CERT},
    {"http-get", "-t*|--tries*", "retrying is --retry N"},
    {"http-get", "-r http*",
	"recursive downloads are not supported (-r is --range here)"},
    {"http-get", "--silent*", "--quiet (-q) prints errors only"},
    {"http-get", "--show-error*", "errors are printed even with -q"},
    {"http-get", "--tls", "TLS is used for https:// URLs"},
    {"http-get", "--tlsv*|--tls-m*|--ciphers*|--tls13-*|--ssl*", TLS_VERSIONS},
    {"http-get", "--ca*", TRUST},
    {"http-get", "--*cookie*",
	"Cookie is a header: -H 'Cookie: a=b'; cookies are not kept"},
    {"http-get", "--continue-at*", "resuming is --continue (-c)"},
    {"http-get", "--compressed*", "compressed transfers are not supported"},
    {"http-get", "--http*|-0*", "requests are HTTP/1.1"},
    {"http-get", "--max-redirect*", "the option is --max-redirs"},
    {"http-get", "--retry-conn*", "waiting for a server is --retry-for"},
    {"http-get", "--retry-all*",
	"--retry-for retries every failure, and every status of 400 and up"},
    {"http-get", "--retry-*|--waitretry*",
	"sockt chooses the pause between retries; a limit is --max-time"},
    {"http-get", "--unix-socket*|--abstract-unix*",
	"requests are sent to a Unix socket with --unix PATH"},
    {"http-get", "--spider*", "requesting the header only is -I"},
    {"http-get", "--resolve*|--connect-to *:*:*",
	"another server for the URL's is --connect-to HOST:PORT"},
    {"http-get", "--bind-address*", "the local address is --source (-s)"},
    {"http-get", "--output-d*|--directory-p*", "the directory is part of -o"},
    {"http-get", "--write-out*",
	"--timing and --json report times and the status"},
    {"http-get", "--no*proxy*",
	"hosts without a proxy are named by the variable no_proxy"},
    {"http-get", "--proxy-*",
	"the credentials are part of the proxy's URL: "
	"http://USER:PASSWORD@HOST"},
    {"http-get", "--input-file*",
	"URLs are operands; xargs(1) passes those of a file"},

    /* nmap. */
    {"portscan", "--*rtt-*", "the wait for an answer is --timeout (-w)"},
    {"portscan", "--packet-trace*|-d*", "-vv shows the calls of sockt"},
    {"portscan", "--traceroute*",
	"sockt connect --trace HOST PORT shows the routers on the way"},
    {"portscan", "--iflist*", "ip(8) shows interfaces"},
    {"portscan", "--resume*",
	"a scan that was cut off reports the --shard that is left"},
    {"portscan", "--stats-e*", "progress is shown on a terminal"},
    {"portscan", "--proxies*", "ports are not scanned through a proxy"},
    {"portscan", "--*privileged*", "root is not needed"},
    {"portscan", "-e*", "the interface is --interface"},
    {"portscan", "--randomize*|-R*",
	"ports and hosts are probed in random order"},
    {"portscan", "-p-",
	"all ports are the second operand: sockt portscan localhost -"},
    {"portscan", "-p*",
	"ports are the second operand: sockt portscan localhost "
	"22,80,8000-8100"},
    {"portscan", "-sT*", "connecting is the only TCP scan"},
    {"portscan", "-sU*|-u*", "scanning UDP ports is --udp"},
    {"portscan", "-sL*", "listing what would be probed is --dry-run"},
    {"portscan", "-s[VC]*|--version-*",
	"versions are not detected; what services send first is --banner"},
    {"portscan", "-s[nP]*", "only ports are probed, not whether a host is up"},
    {"portscan", "-[DSfs]*|--mtu*|--data*|--badsum*|--spoof*|--send-*|--ttl*",
	"raw packets are not supported: connecting is the only TCP scan"},
    {"portscan", "-P*", "hosts are not pinged: every host is scanned"},
    {"portscan", "-[AO]*",
	"versions and systems are not detected; what services send first is "
	"--banner"},
    {"portscan", "-T*|--m*-rate*|--scan-delay*",
	"the speed adapts to the host; a limit is --rate"},
    {"portscan", "-F*|--top*",
	"without ports, 1-1024 and common higher ports are scanned"},
    {"portscan", "-o*|--append-output*",
	"results go to stdout: a table, lines with -q, JSON Lines with --json"},
    {"portscan", "-g*",
	"the system chooses the local port; lines for grep are printed by -q"},
    {"portscan", "--greppable*", "lines for grep are printed by -q"},
    {"portscan", "-i*", "targets from a file are --targets FILE"},
    {"portscan", "-z*", "portscan sends nothing to the ports anyway"},
    {"portscan", "-r*|--order*",
	"ports are probed in random order, and listed in ascending order"},
    {"portscan", "--open*", "open ports only is the default; all is -a"},
    {"portscan", "--reason*", "the reasons are shown by -v"},
    {"portscan", "--*retries*",
	"a silent port is probed again as often as losses require"},
    {"portscan", "--no-skip*",
	"the only host of a scan is never skipped: scan hosts one by one"},
    {"portscan", "--host-timeout*", "a limit for the run is --max-time (-m)"},
    {"portscan", "--m*-par*", "the number of probes at once is --parallel"},
    {"portscan", "--script*",
	"there are no scripts; what services send first is --banner"},
    {"portscan", "--exclude-port*", "the option is --exclude"},
    {"portscan", "--exclude*file*|--exclude *.*",
	"hosts to skip are --exclude-hosts"},
    {"portscan", "*.* *.*",
	"several hosts are one operand, separated by commas"},
    {"portscan", "[!-]* [0-9]* [0-9]*",
	"ports are one operand, separated by commas"},
    {NULL, NULL, NULL},
};

/* The width of each of the two columns, as in README. */
#define COLUMN 40
#define INDENT 4

/* Lines of two fields, separated by a tab. */
static const char equivalents[] =
    "nc host 80\tsockt connect host 80\n"
    "nc -v host 80\tsockt connect -v host 80\n"
    "nc -zv host 22\tsockt connect -zv host 22\n"
    "nc -zv host 20-25\tsockt portscan host 20-25\n"
    "nc -z -w 2 host 22\tsockt connect -z -w 2 host 22\n"
    "nc -w 5 host 80\tsockt connect -w 5 host 80\n"
    "nc -l 8080\tsockt listen '*' 8080\n"
    "nc -l 127.0.0.1 8080\tsockt listen 8080\n"
    "nc -lk 8080\tsockt listen -k '*' 8080\n"
    "nc -kl 8080\tsockt listen -k '*' 8080\n"
    "nc -l 8080 > file\tsockt listen '*' 8080 > file\n"
    "nc -N host 8080 < file\tsockt connect host 8080 < file\n"
    "nc -q 1 host 80 < request\tsockt connect --linger 1 host 80 < request\n"
    "nc -u host 9999\tsockt udp-send host 9999\n"
    "nc -ul 9999\tsockt udp-serve --print '*' 9999\n"
    "nc -u -w 1 host 53 < <(xxd -r -p query)\t"
    "sockt udp-send --hex --whole -w 1 host 53 < query\n"
    "nc -u host 9999 < <(printf '\\1\\0')\t"
    "sockt udp-send --escapes --raw host 9999 '\\x01\\0'\n"
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
    "ncat -l --ssl 8443\tsockt listen --tls-self '*' 8443\n"
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
    "openssl s_client -quiet -connect host:443\t"
    "sockt connect --tls host 443\n"
    "openssl s_client -tls1_2 -CAfile ca.pem -connect host:443\t"
    "sockt connect --tls --tls-version 1.2 --tls-ca ca.pem host 443\n"
    "openssl s_client -starttls smtp -crlf -connect host:25\t"
    "sockt connect --starttls smtp -C host 25\n"
    "openssl s_client -showcerts -connect host:443\t"
    "sockt connect -zv --tls host 443\n"
    "openssl s_client -keylogfile keys -connect host:443\t"
    "SSLKEYLOGFILE=keys sockt connect --tls host 443\n"
    "openssl s_server -accept 4433 -cert c.pem -key k.pem\t"
    "sockt listen --tls-cert c.pem --tls-key k.pem '*' 4433\n"
    "openssl x509 -checkend 1814400\t"
    "sockt connect -z --tls --tls-days 21 host 443\n"
    "openssl x509 -fingerprint -sha256\t"
    "sockt connect -zv --tls --tls-insecure host 443\n"
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
    "sockt connect --via 'ssh jump nc -N %h %p' host 22\n"
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
    "socat UDP-LISTEN:53,fork UDP:backend:53\t"
    "sockt udp-serve '*' 53 --to backend:53\n"
    "socat UDP4-LISTEN:53,fork UDP4:backend:53\t"
    "sockt udp-serve -4 '*' 53 --to backend:53\n"
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
    "curl -C - -O http://host/begun\tsockt http-get -O --continue-foreign "
    "http://host/begun\n"
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
    "curl --tls-max 1.2 https://host/\t"
    "sockt http-get --tls-version 1.2 https://host/\n"
    "curl --retry 9 --retry-all-errors http://host/\t"
    "sockt http-get --retry-for 30 http://host/\n"
    "curl --retry 3 http://host/\tsockt http-get --retry 3 http://host/\n"
    "curl --connect-timeout 5 http://host/\t"
    "sockt http-get --connect-timeout 5 http://host/\n"
    "curl -w '%{time_total}' http://host/\t"
    "sockt http-get --timing http://host/\n"
    "curl --unix-socket /run/docker.sock http://h/info\t"
    "sockt http-get --unix /run/docker.sock http://h/info\n"
    "http http://host/\tsockt http-get http://host/\n"
    "http -d http://host/file\tsockt http-get -LO http://host/file\n"
    "wget http://host/file\tsockt http-get -LO http://host/file\n"
    "wget -c http://host/file\tsockt http-get -cLO http://host/file\n"
    "wget -c http://host/begun\tsockt http-get -LO --continue-foreign "
    "http://host/begun\n"
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
	size_t length = width;

	if (n <= width)
		return n;
	while (length > 0 && text[length] != ' ')
		length--;
	return length > 0 ? length : n;
}

/* Prints a row in two columns, each wrapped at words. */
static void
print_row(const char *row)
{
	const char *cells[] = {row, strchr(row, '\t') + 1};
	size_t left[] = {strcspn(row, "\t"), strcspn(cells[1], "\n")};
	size_t i, n, indent, at;

	for (indent = 0; left[0] + left[1] > 0; indent = INDENT) {
		for (i = at = 0; i < 2; i++) {
			n = fit(cells[i], left[i], COLUMN - 1 + i - indent);
			if (n == 0)
				continue;
			printf("%*s%.*s", (int)(i * COLUMN + indent - at), "",
			    (int)n, cells[i]);
			at = i * COLUMN + indent + n;
			/* The blank between the words is dropped. */
			n += n < left[i];
			cells[i] += n;
			left[i] -= n;
		}
		putchar('\n');
	}
}

/* Steps to the next row, or from NULL to the first. NULL after the last. */
static const char *
next_row(const char *row)
{
	row = row == NULL ? equivalents : row + strcspn(row, "\n") + 1;
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
	if (strcmp(program, "https") == 0 || strcmp(program, "httpie") == 0 ||
	    strcmp(program, "xh") == 0)
		program = "http";
	return strlen(program) == n && strncmp(row, program, n) == 0;
}

bool
habits_print(const char *program)
{
	const char *row = NULL;
	bool is_found = false;

	while ((row = next_row(row)) != NULL) {
		if (!is_about(row, program))
			continue;
		if (!is_found)
			printf("%-*s%s\n\n", COLUMN, "What you type today",
			    "With sockt");
		print_row(row);
		is_found = true;
	}
	return is_found;
}

void
habits_programs(void)
{
	const char *row = NULL, *last = "";
	size_t n;

	while ((row = next_row(row)) != NULL) {
		n = strcspn(row, " ") + 1;
		if (strncmp(row, last, n) != 0)
			printf("%.*s\t\n", (int)n - 1, row);
		last = row;
	}
}

/* Explains a command line of another program by its row that begins most like
 * it, or the first. NULL if the program has none. */
static const char *
find_equivalent(char *const *argv)
{
	const char *row = NULL, *best = NULL, *program = argv[0], *rest;
	char line[128] = "";
	size_t n, longest = 0;

	for (argv++; *argv != NULL; argv++)
		text_append(line, sizeof(line), " %s", *argv);
	while ((row = next_row(row)) != NULL) {
		if (!is_about(row, program))
			continue;
		rest = row + strcspn(row, " ");
		for (n = 0; line[n] != '\0' && line[n] == rest[n];)
			n++;
		/* A dash is no option yet. */
		while (n > 0 && strchr(" -", line[n - 1]) != NULL)
			n--;
		if (best != NULL && n <= longest)
			continue;
		best = row;
		longest = n;
	}
	if (best == NULL)
		return NULL;
	n = strcspn(best, "\t");
	return text_format("%.*s is %.*s here ('sockt help %.*s' shows more)",
	    (int)n, best, (int)strcspn(best + n + 1, "\n"), best + n + 1,
	    (int)strcspn(best, " "), best);
}

/* Finds the row for the words first and rest, after a command or "sockt". */
static const char *
find_row(const char *command, const char *first, char *const *rest)
{
	const struct habit *h;
	const char *typed, *space;
	char *const *word;
	char text[128], pattern[128];
	size_t n;

	for (h = habits; h->typed != NULL; h++) {
		if (h->commands[0] != '*' &&
		    !opt_is_listed(h->commands, command))
			continue;
		for (typed = h->typed; *typed != '\0';
		     typed += n + strspn(typed + n, "|")) {
			n = strcspn(typed, "|");
			snprintf(
			    pattern, sizeof(pattern), "%.*s", (int)n, typed);
			/* As many words as the pattern has. */
			snprintf(text, sizeof(text), "%s", first);
			word = rest;
			for (space = strchr(pattern, ' ');
			     space != NULL && *word != NULL;
			     space = strchr(space + 1, ' '))
				text_append(text, sizeof(text), " %s", *word++);
			if (fnmatch(pattern, text, 0) == 0)
				return h->hint;
		}
	}
	return NULL;
}

/* Names the commands that have an option, unless c has it. */
static const char *
find_commands(const struct command *c, const char *word, char letter)
{
	static char text[192];
	const struct command *const *other;
	size_t n = strcspn(word, "=");
	bool is_first = true;

	if (letter != 0)
		snprintf(text, sizeof(text), "-%c", letter);
	else
		snprintf(text, sizeof(text), "%.*s", (int)n, word);
	for (other = command_table; *other != NULL; other++) {
		if (opt_find((*other)->groups, letter, word + 2, n - 2) == NULL)
			continue;
		if (*other == c)
			return NULL;
		text_append(text, sizeof(text), "%s%s",
		    is_first ? " is an option of " : ", ", (*other)->name);
		is_first = false;
	}
	return is_first ? NULL : text;
}

/* Explains a rejected option: by the word as typed, then by its letter, or by
 * its long name and value as words. */
static const char *
explain_option(const struct command *c, const struct command_args *args)
{
	const char *word = args->refused[0], *hint;
	char *const *rest = args->refused + 1;
	char name[64];

	hint = find_row(c->name, word, rest);
	if (hint != NULL)
		return hint;
	snprintf(name, sizeof(name), "%s", word);
	if (args->letter != 0)
		snprintf(name, sizeof(name), "-%c", args->letter);
	else if (strchr(name, '=') != NULL)
		*strchr(name, '=') = ' ';
	hint = find_row(c->name, name, rest);
	return hint != NULL ? hint : find_commands(c, word, args->letter);
}

/* Explains rejected operands, or an option that made a word an operand. */
static const char *
explain_operands(
    const struct command *c, char *const *argv, const struct command_args *args)
{
	const char *hint = NULL;
	char *const *word;

	for (word = argv;
	     hint == NULL && *word != NULL && strcmp(*word, "--") != 0; word++)
		if (word[0][0] == '-')
			hint = find_row(c->name, *word, word + 1);
	for (word = args->operands; hint == NULL && *word != NULL; word++)
		hint = find_row(c->name, *word, word + 1);
	return hint;
}

const char *
habits_find(
    const struct command *c, char *const *argv, const struct command_args *args)
{
	const char *hint;

	if (c != NULL)
		return args->refused != NULL ? explain_option(c, args)
					     : explain_operands(c, argv, args);
	hint = find_equivalent(argv);
	if (hint == NULL)
		hint = find_row("sockt", argv[0], argv + 1);
	if (hint == NULL && argv[0][0] == '-')
		hint = find_commands(
		    NULL, argv[0], argv[0][1] != '-' ? argv[0][1] : 0);
	return hint;
}
