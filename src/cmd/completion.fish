# fish completion for sockt; made by sockt completion fish
function __sockt
	set -l words (commandline -opc) (commandline -ct)
	set -l lines ($words[1] completion --words -- $words[2..-1] 2>/dev/null)
	set -l kind (string split ' ' -- $lines[1])
	set -l word (string replace -- "$kind[2]" '' $words[-1])
	set -l names
	string join \n -- $lines[2..-1]
	switch $kind[1]
		case file
			set names (__fish_complete_path $word)
		case command
			set names (complete -C $word)
		case program
			set -e words[1..$kind[2]]
			complete -C (string join ' ' (string escape -- $words[1..-2]) $word)
			return
		case user
			set names (__fish_complete_users)
		case interface
			set names (__fish_print_interfaces)
		case service
			set names (string match -r '^[\w-]+' </etc/services)
		case host
			set names localhost (__fish_print_hostnames)
		case url
			set names {localhost,(__fish_print_hostnames)}/
	end
	string join \n -- $kind[2]$names
end
complete -c sockt -f -a '(__sockt)'
