# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion of vole's command line, for bash. What options there are, and with what arguments, `vole --help`
# tells: its lines that begin with an option, such as
#
#	  -c, --cpus N        CPUs (1)
#	      --clock host|virtual

# _vole_help COMMAND OPTION: sets options to all that COMMAND has, and argument to that of OPTION: "" if it
# has none, or is no option.
_vole_help() {
	local line pattern='^ +((-[a-z]), )?(--[a-z-]+)( ([^ ]+))?'

	options=() argument=
	while IFS= read -r line; do
		[[ $line =~ $pattern ]] || continue
		options+=(${BASH_REMATCH[2]:+"${BASH_REMATCH[2]}"} "${BASH_REMATCH[3]}")
		[[ $2 && ($2 = "${BASH_REMATCH[2]}" || $2 = "${BASH_REMATCH[3]}") ]] && argument=${BASH_REMATCH[5]}
	done < <("${1/#\~/$HOME}" --help 2>/dev/null)
}

_vole() {
	local word=$2 before=$3 argument options i

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'run clone replay inspect doctor --help --version' -- "$word")
		return
	fi
	[[ ${COMP_WORDS[1]} = run || ${COMP_WORDS[1]} = clone || ${COMP_WORDS[1]} = replay || ${COMP_WORDS[1]} = inspect ]] || return

	# What follows "--" is the guest's.
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != -- ]] || return
	done

	_vole_help "${COMP_WORDS[0]}" "$before"
	argument=${argument%%[*}
	case $argument in
	*\|*)
		# "stdio|none|file:PATH": one of these. A path after "file:" is a word of its own to bash.
		mapfile -t COMPREPLY < <(compgen -W "${argument//|/ }" -- "$word")
		COMPREPLY=("${COMPREPLY[@]/%PATH/}")
		[[ ${COMPREPLY[*]} = *[:=] ]] && compopt -o nospace
		;;
	'' | FILE)
		if [[ ! $argument && $word = -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "${options[*]}" -- "$word")
		else
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		fi
		;;
	esac
}

complete -F _vole vole
