import { createApp } from 'vue'
import '../ui/base.css'
import '../ui/forms.css'
import { applySettings } from '../ui/settings'
import './admin.css'
import App from './App.vue'

applySettings((words) => words.admin.title)
createApp(App).mount('#app')
