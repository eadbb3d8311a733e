# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion of vole's command line, for bash. What options there are, and with what arguments, `vole --help`
# tells: its lines that begin with an option, such as
#
#	  -c, --cpus N        CPUs (1)
#	      --clock host|virtual

# _vole_help PROGRAM OPTION COMMAND: sets options to all that PROGRAM has for COMMAND, and argument to that of
# OPTION: "" if it has none, or is no option. Those of story have a list of their own.
_vole_help() {
	local line of=run pattern='^ +((-[a-z]), )?(--[a-z-]+)( ([^ ]+))?'

	options=() argument=
	while IFS= read -r line; do
		[[ $line != 'Options of story:' ]] || of=story
		[[ ($3 = story && $of = story) || ($3 != story && $of = run) ]] || continue
		[[ $line =~ $pattern ]] || continue
		options+=(${BASH_REMATCH[2]:+"${BASH_REMATCH[2]}"} "${BASH_REMATCH[3]}")
		[[ $2 && ($2 = "${BASH_REMATCH[2]}" || $2 = "${BASH_REMATCH[3]}") ]] && argument=${BASH_REMATCH[5]}
	done < <("${1/#\~/$HOME}" --help 2>/dev/null)
}

_vole() {
	local word=$2 before=$3 argument options i

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'run clone replay inspect story doctor --help --version' -- "$word")
		return
	fi
	case ${COMP_WORDS[1]} in
	run | clone | replay | inspect | story) ;;
	*) return ;;
	esac

	# What follows "--" is the guest's.
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != -- ]] || return
	done

	_vole_help "${COMP_WORDS[0]}" "$before" "${COMP_WORDS[1]}"
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
